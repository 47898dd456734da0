//! The least that an axum program does for a JSON call: one thread, the body read and parsed, a small JSON answer. Prints its port.
use axum::{routing::post, Json, Router};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct PredictRequest {
    features: Vec<f64>,
}

#[derive(Serialize)]
struct PredictResponse {
    scores: Vec<f64>,
}

async fn predict(Json(request): Json<PredictRequest>) -> Json<PredictResponse> {
    Json(PredictResponse { scores: request.features.into_iter().take(1).collect() })
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("its address").port());
    axum::serve(listener, Router::new().route("/predict", post(predict))).await.expect("a server");
}
