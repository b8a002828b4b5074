//! The shop: an axum service that uses `tracing` and does not depend on the handlers.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tower_http::request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::trace::TraceLayer;
use tracing::field::Empty;
use tracing::{Span, debug, error, info, info_span, instrument, warn};

/// What a customer sends.
#[derive(Debug, Deserialize, Serialize)]
pub struct Order {
    pub item: usize,
    pub shelf: Shelf,
    pub card: Card,
    /// Free text from the customer.
    pub note: String,
}

/// Where the item is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Shelf {
    Near,
    /// In the other warehouse, which takes longer.
    Far,
    /// In a warehouse that cannot be reached.
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Card {
    Good,
    Empty,
}

/// Opens the shop on a free port of this machine.
pub async fn open() -> std::io::Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, routes()).await });
    Ok(address)
}

fn routes() -> Router {
    let trace = TraceLayer::new_for_http()
        .make_span_with(request_span)
        .on_request(|request: &Request<Body>, _: &Span| debug!(method = %request.method(), "started"))
        .on_response(record_response)
        // Failures are logged where their cause is known.
        .on_failure(());
    Router::new()
        .route("/orders", post(order))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(trace)
        .layer(SetRequestIdLayer::x_request_id(Counted::default()))
}

/// Short ids for terminal lines. If requests pass through several machines, use `MakeRequestUuid`.
#[derive(Clone, Default)]
struct Counted(Arc<AtomicUsize>);

impl MakeRequestId for Counted {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        let id = format!("r{}", self.0.fetch_add(1, Ordering::Relaxed));
        Some(RequestId::new(id.parse().ok()?))
    }
}

fn request_span(request: &Request<Body>) -> Span {
    let request_id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    // `user` is overwritten once it is known, and the empty fields are recorded with the response.
    info_span!("request", path = request.uri().path(), request_id, user = "nobody", status = Empty, latency_ms = Empty,)
}

fn record_response(response: &Response<Body>, latency: Duration, span: &Span) {
    span.record("status", response.status().as_u16());
    span.record("latency_ms", latency.as_secs_f64() * 1e3);
    debug!("finished");
}

async fn order(headers: HeaderMap, Json(order): Json<Order>) -> StatusCode {
    let user = headers.get("x-user").and_then(|user| std::str::from_utf8(user.as_bytes()).ok());
    Span::current().record("user", user);
    debug!(note = order.note, "an order has come");
    match place(&order).await {
        Ok(()) => StatusCode::CREATED,
        Err(refusal @ Refusal::Card) => {
            warn!(item = order.item, note = order.note, "refused: {refusal}");
            StatusCode::PAYMENT_REQUIRED
        }
        Err(refusal @ Refusal::Warehouse) => {
            error!(item = order.item, error = &refusal as &dyn std::error::Error, "order lost");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

#[instrument(skip_all, fields(item = order.item, price = Empty))]
async fn place(order: &Order) -> Result<(), Refusal> {
    let price = fetch(order.item, order.shelf).await?;
    Span::current().record("price", price);
    charge(order.card, price).await
}

#[instrument(level = "debug", ret(level = "debug"))]
async fn fetch(item: usize, shelf: Shelf) -> Result<f64, Refusal> {
    tokio::time::sleep(Duration::from_millis(1 + item as u64 % 4)).await;
    match shelf {
        Shelf::Near => debug!("found"),
        Shelf::Far => {
            tokio::time::sleep(Duration::from_millis(150)).await;
            info!("fetched from far away");
        }
        Shelf::Lost => return Err(Refusal::Warehouse),
    }
    Ok(item as f64 % 1_000.0 + 0.99)
}

#[instrument(level = "debug", skip(card))]
async fn charge(card: Card, price: f64) -> Result<(), Refusal> {
    tokio::time::sleep(Duration::from_millis(1)).await;
    match card {
        Card::Empty => Err(Refusal::Card),
        Card::Good => {
            debug!(price, "paid");
            Ok(())
        }
    }
}

#[derive(Debug)]
enum Refusal {
    Card,
    Warehouse,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Card => "the card is empty",
            Self::Warehouse => "the warehouse does not answer",
        })
    }
}

impl std::error::Error for Refusal {}
