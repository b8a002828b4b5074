//! The customers: an HTTP client that records the responses.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use indicatif::ProgressBar;
use tokio::task::JoinSet;

use crate::shop::{Card, Order, Shelf};

/// The request ids that the shop assigned, by outcome, and the number of orders from the far warehouse.
#[derive(Debug, Default)]
pub struct Answers {
    pub all: BTreeSet<String>,
    pub refused: BTreeSet<String>,
    pub failed: BTreeSet<String>,
    pub far: usize,
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { all, refused, failed, far } = self;
        let fine = all.len() - refused.len() - failed.len();
        write!(f, "{fine} fine ({far} of them slow), {} refused, {} failed", refused.len(), failed.len())
    }
}

/// Sends `requests` orders, several at a time.
pub async fn order(address: SocketAddr, requests: usize, bar: &ProgressBar) -> Result<Answers, Failure> {
    let http = Client::builder(TokioExecutor::new()).build_http();
    let mut customers = JoinSet::new();
    for first in 0..AT_ONCE {
        let (http, bar) = (http.clone(), bar.clone());
        customers.spawn(async move {
            let mut answers = Answers::default();
            for number in (first..requests).step_by(AT_ONCE) {
                send(&http, address, number, &mut answers).await?;
                bar.inc(1);
            }
            Ok::<_, Failure>(answers)
        });
    }
    let mut all = Answers::default();
    while let Some(answers) = customers.join_next().await {
        all.add(answers??);
    }
    Ok(all)
}

async fn send(http: &Http, address: SocketAddr, number: usize, answers: &mut Answers) -> Result<(), Failure> {
    let order = nth_order(number);
    let request = Request::post(format!("http://{address}/orders"))
        .header("content-type", "application/json")
        .header("x-user", USERS[number % USERS.len()])
        .body(serde_json::to_string(&order)?)?;
    let response = http.request(request).await?;
    let id = response.headers().get("x-request-id").ok_or("an answer without an id")?.to_str()?.to_owned();
    let status = response.status();
    // Read to the end, so that the connection can be reused.
    to_bytes(Body::new(response.into_body()), 1 << 10).await?;
    answers.all.insert(id.clone());
    match status {
        StatusCode::CREATED => answers.far += usize::from(order.shelf == Shelf::Far),
        StatusCode::PAYMENT_REQUIRED => drop(answers.refused.insert(id)),
        StatusCode::INTERNAL_SERVER_ERROR => drop(answers.failed.insert(id)),
        other => return Err(format!("order {number}: {other}").into()),
    }
    Ok(())
}

/// Most orders are ordinary. Some notes try to attack the reader of the log.
fn nth_order(item: usize) -> Order {
    let shelf = match item {
        _ if item % 331 == 330 => Shelf::Lost,
        _ if item % 127 == 126 => Shelf::Far,
        _ => Shelf::Near,
    };
    let card = if shelf == Shelf::Near && item % 199 == 198 { Card::Empty } else { Card::Good };
    let note = NOTES[item % NOTES.len()].to_owned();
    Order { item, shelf, card, note }
}

impl Answers {
    fn add(&mut self, mut other: Self) {
        self.all.append(&mut other.all);
        self.refused.append(&mut other.refused);
        self.failed.append(&mut other.failed);
        self.far += other.far;
    }
}

type Http = Client<HttpConnector, String>;
pub type Failure = Box<dyn Error + Send + Sync>;

const AT_ONCE: usize = 16;
const USERS: [&str; 4] = ["mia", "jörg", "李雷", "o'neill status=200"];
const NOTES: [&str; 5] = [
    "",
    "leave it at the door",
    "\x1b[2J\x1b[31mall your screen are belong to us",
    "thanks!\n2026-01-01T00:00:00.000000Z ERROR shop: bankrupt request_id=forged",
    r#""},"level":"ERROR","level":"#,
];
