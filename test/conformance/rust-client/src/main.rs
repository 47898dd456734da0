//! Calls assay.v1.ScoringService on tonic and prints one JSON line an answer: `rust-client http://HOST:PORT`.
//!
//! Predict with a good row and with a short one, then PredictStream with 100 items of which number 50 is short:
//! the first ten each wait for the answer before, the rest are sent while answers are read.
//! The messages have only the fields that the calls need, numbered as in proto/assay/v1/scoring_service.proto.
use serde_json::{json, Value};
use std::error::Error;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{client::Grpc, codegen::http::uri::PathAndQuery, transport::Channel, Request, Status};
use tonic_prost::ProstCodec;

const ITEMS: u64 = 100;
const ONE_BY_ONE: u64 = 10;
const SHORT_ITEM: u64 = 50;

#[derive(Clone, PartialEq, prost::Message)]
struct PredictRequest {
    #[prost(string, tag = "1")]
    model_name: String,
    #[prost(float, repeated, tag = "4")]
    features: Vec<f32>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PredictResponse {
    #[prost(string, tag = "2")]
    model_version: String,
    #[prost(double, repeated, tag = "4")]
    scores: Vec<f64>,
    #[prost(string, repeated, tag = "5")]
    labels: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ItemStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PredictStreamRequest {
    #[prost(uint64, tag = "1")]
    item_id: u64,
    #[prost(message, optional, tag = "2")]
    request: Option<PredictRequest>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PredictStreamResponse {
    #[prost(uint64, tag = "1")]
    item_id: u64,
    #[prost(message, optional, tag = "2")]
    response: Option<PredictResponse>,
    #[prost(message, optional, tag = "3")]
    status: Option<ItemStatus>,
}

fn iris(features: &[f32]) -> PredictRequest {
    PredictRequest {
        model_name: "iris".into(),
        features: features.into(),
    }
}

fn item(item_id: u64) -> PredictStreamRequest {
    let row = [
        4.0 + item_id as f32 / 50.0,
        3.5,
        1.4 + item_id as f32 / 20.0,
        0.2 + item_id as f32 / 50.0,
    ];
    let features = if item_id == SHORT_ITEM {
        &row[..3]
    } else {
        &row[..]
    };
    PredictStreamRequest {
        item_id,
        request: Some(iris(features)),
    }
}

fn scored(response: &PredictResponse) -> Value {
    json!({ "version": response.model_version, "scores": response.scores, "labels": response.labels })
}

async fn predict(
    client: &mut Grpc<Channel>,
    features: &[f32],
) -> Result<PredictResponse, Box<dyn Error>> {
    client.ready().await?;
    let path = PathAndQuery::from_static("/assay.v1.ScoringService/Predict");
    let answer = client
        .unary(Request::new(iris(features)), path, ProstCodec::default())
        .await?;
    Ok(answer.into_inner())
}

async fn predict_stream(client: &mut Grpc<Channel>) -> Result<(), Box<dyn Error>> {
    client.ready().await?;
    let (sender, receiver) = mpsc::channel(8);
    sender.send(item(0)).await?;
    let path = PathAndQuery::from_static("/assay.v1.ScoringService/PredictStream");
    let requests = Request::new(ReceiverStream::new(receiver));
    let mut answers = client
        .streaming::<_, _, PredictStreamResponse, _>(requests, path, ProstCodec::default())
        .await?
        .into_inner();
    let mut sender = Some(sender);
    while let Some(answer) = answers.message().await? {
        let status = answer
            .status
            .map(|status| json!({ "code": status.code, "message": status.message }));
        let response = answer.response.as_ref().map(scored);
        println!(
            "{}",
            json!({ "item": answer.item_id, "response": response, "status": status })
        );
        let next = answer.item_id + 1;
        if next < ONE_BY_ONE {
            sender
                .as_ref()
                .ok_or("the stream answered twice")?
                .send(item(next))
                .await?;
        } else if let Some(rest) = sender.take() {
            tokio::spawn(async move {
                for number in next..ITEMS {
                    if rest.send(item(number)).await.is_err() {
                        return;
                    }
                }
            });
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args()
        .nth(1)
        .ok_or("usage: rust-client http://HOST:PORT")?;
    let mut client = Grpc::new(Channel::from_shared(address)?.connect().await?);
    println!(
        "{}",
        json!({ "response": scored(&predict(&mut client, &[5.1, 3.5, 1.4, 0.2]).await?) })
    );
    let refused = predict(&mut client, &[5.1, 3.5, 1.4])
        .await
        .err()
        .ok_or("a short row was scored")?;
    let status = refused
        .downcast_ref::<Status>()
        .ok_or("the refusal has no status")?;
    let details = String::from_utf8_lossy(status.details());
    println!(
        "{}",
        json!({ "code": status.code() as i32, "message": status.message(), "details": details })
    );
    predict_stream(&mut client).await
}
