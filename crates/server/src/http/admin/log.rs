//! The audit log, for reading only.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use protocol::ErrorCode;
use protocol::http::admin::{Audit, AuditEntry};
use serde::Deserialize;

use crate::audit;
use crate::http::State;
use crate::http::administrator::Administrator;
use crate::http::error::ApiResult;
use crate::store::audit::{self as stored, Entry};

const PAGE: u32 = 100;

#[derive(Deserialize)]
pub struct Before {
    before: Option<String>,
}

#[utoipa::path(get, path = "/audit", params(("before" = Option<String>, Query, description = "Id of an entry: only older ones.")),
    responses((status = 200, description = "The newest first, 100 at most.", body = Audit)))]
pub async fn read(
    app: State,
    _: Administrator,
    query: Result<Query<Before>, QueryRejection>,
) -> ApiResult<Json<Audit>> {
    let Query(Before { before }) = query.map_err(|_| ErrorCode::Malformed)?;
    let entries = stored::page(&app.db, before.as_deref(), PAGE).await?;
    Ok(Json(Audit {
        entries: entries.into_iter().map(shown).collect(),
    }))
}

fn shown(entry: Entry) -> AuditEntry {
    AuditEntry {
        by: audit::by(&entry).to_owned(),
        subject: audit::subject(&entry).to_owned(),
        id: entry.id,
        at_ms: entry.at,
        action: entry.action,
        details: entry.details,
    }
}
