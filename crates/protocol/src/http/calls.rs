//! What somebody did and missed, and answering a call from a notification.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::HistoryEntry;

/// `GET /api/v1/history?before=<started_at>`: the newest 50 lines, or those before. Accounts only. One line is deleted by
/// `DELETE /api/v1/history/{id}`, all of them by `DELETE /api/v1/history`.
/// `POST /api/v1/calls/{id}/decline` declines a call without a socket; an id that does not ring changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct History {
    pub entries: Vec<HistoryEntry>,
    /// There are older ones.
    pub more: bool,
}
