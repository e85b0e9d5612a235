//! Administration over HTTP, under `/api/v1/admin`: for administrators and for machines (`super::administrator`). Each change
//! is written to the audit log where it is done.
//!
//! Every route is added by `routes!`, so that none is missing in the description.

mod clients;
mod connections;
mod groups;
mod import;
mod ldap;
mod leaving;
mod links;
mod log;
mod people;
mod sessions;
mod settings;
mod tokens;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use super::Shared;
use crate::images;
use crate::people_file::MOST_BYTES;

pub fn routes() -> OpenApiRouter<Shared> {
    let logo = routes!(settings::set_logo, settings::remove_logo)
        .layer(DefaultBodyLimit::max(images::MOST_BYTES));
    OpenApiRouter::default()
        .routes(routes!(groups::list, groups::create))
        .routes(routes!(groups::rename, groups::remove))
        .routes(routes!(groups::join, groups::leave))
        .routes(routes!(log::read))
        .routes(routes!(connections::list))
        .routes(routes!(connections::read))
        .routes(routes!(settings::checklist))
        .routes(routes!(settings::dismiss_checklist))
        .routes(routes!(clients::list, clients::create))
        .routes(routes!(clients::remove))
        .routes(logo)
        .routes(routes!(settings::read, settings::change))
        .routes(routes!(people::list, people::create))
        .routes(routes!(people::read, people::change))
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
        .routes(routes!(import::import).layer(DefaultBodyLimit::max(MOST_BYTES)))
        .routes(routes!(ldap::status))
        .routes(routes!(ldap::sync))
}
