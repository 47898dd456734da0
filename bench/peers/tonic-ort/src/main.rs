//! Predict as an engineer would serve it with tonic and ort: one thread for the calls, which run the model where they are, since a
//! logistic regression takes less than a hop to another thread. Arguments: the model's file. Prints its port. ORT_DYLIB_PATH
//! names the ONNX Runtime, that of onnxruntime-node, so that both servers run the same.
use ort::{session::{builder::GraphOptimizationLevel, Session}, value::TensorRef};
use std::{convert::Infallible, future::Future, pin::Pin, sync::{Arc, Mutex}, task::{Context, Poll}};
use tonic::{body::Body, codegen::http, server::{Grpc, NamedService, UnaryService}, Request, Response, Status};
use tonic_prost::ProstCodec;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Numbers of proto/assay/v1/scoring_service.proto.
#[derive(Clone, PartialEq, prost::Message)]
struct PredictRequest {
    #[prost(string, tag = "1")]
    model_name: String,
    #[prost(string, tag = "3")]
    request_id: String,
    #[prost(float, repeated, tag = "4")]
    features: Vec<f32>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PredictResponse {
    #[prost(string, tag = "1")]
    model_name: String,
    #[prost(string, tag = "2")]
    model_version: String,
    #[prost(string, tag = "3")]
    request_id: String,
    #[prost(double, repeated, tag = "4")]
    scores: Vec<f64>,
}

struct Model {
    session: Mutex<Session>,
    input: String,
    output: String,
}

impl Model {
    fn score(&self, features: Vec<f32>) -> Result<Vec<f64>, ort::Error> {
        let columns = features.len();
        let input = TensorRef::from_array_view(([1usize, columns], features.as_slice()))?;
        let mut session = self.session.lock().expect("no call panics");
        let outputs = session.run(ort::inputs![self.input.as_str() => input])?;
        let (_, scores) = outputs[self.output.as_str()].try_extract_tensor::<f32>()?;
        Ok(scores.iter().map(|score| f64::from(*score)).collect())
    }
}

struct Predict(Arc<Model>);

impl UnaryService<PredictRequest> for Predict {
    type Response = PredictResponse;
    type Future = Boxed<Result<Response<PredictResponse>, Status>>;
    fn call(&mut self, request: Request<PredictRequest>) -> Self::Future {
        let model = self.0.clone();
        Box::pin(async move {
            let PredictRequest { model_name, request_id, features } = request.into_inner();
            if features.len() != 30 {
                return Err(Status::invalid_argument(format!("{} features came; expected 30", features.len())));
            }
            let scores = model.score(features).map_err(|error| Status::internal(error.to_string()))?;
            Ok(Response::new(PredictResponse { model_name, model_version: "1".into(), request_id, scores }))
        })
    }
}

#[derive(Clone)]
struct Scoring(Arc<Model>);

impl NamedService for Scoring {
    const NAME: &'static str = "assay.v1.ScoringService";
}

impl tower_service::Service<http::Request<Body>> for Scoring {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Boxed<Result<Self::Response, Infallible>>;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let model = self.0.clone();
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).unary(Predict(model), request).await) })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("the model's file is missing")?;
    let session = Session::builder()?
        .with_optimization_level(GraphOptimizationLevel::Level3)?
        .with_intra_threads(1)?
        .commit_from_file(path)?;
    let input = session.inputs[0].name.clone();
    let output = session.outputs[0].name.clone();
    let model = Arc::new(Model { session: Mutex::new(session), input, output });
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    println!("{port}");
    tonic::transport::Server::builder().add_service(Scoring(model)).serve(([127, 0, 0, 1], port).into()).await?;
    Ok(())
}
