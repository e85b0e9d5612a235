//! Administration over HTTP, under `/api/v1/admin`: for administrators and for machines (`super::administrator`). Each change
//! is written to the audit log where it is done.
//!
//! Every route is added by `routes!`, so that none is missing in the description.

mod groups;
mod ldap;
mod leaving;
mod links;
mod sessions;
mod tokens;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;

pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default()
        .routes(routes!(groups::list, groups::create))
        .routes(routes!(groups::rename, groups::remove))
        .routes(routes!(groups::join, groups::leave))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::remove))
        .routes(routes!(links::list, links::create))
        .routes(routes!(links::remove))
        .routes(routes!(links::recovery))
        .routes(routes!(links::test_mail))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(sessions::end_all))
        .routes(routes!(leaving::remove))
        .routes(routes!(leaving::export))
        .routes(routes!(ldap::status))
        .routes(routes!(ldap::sync))
}
