//! `/oidc/logout`: applications send people here who want to leave.

use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use identity::provider::claims::read_hint;
use identity::provider::logout::{Decision, LogoutRequest};
use identity::provider::{Fault, Parameters};
use protocol::ErrorCode;

use super::page::{self, Readable, Reader};
use super::{as_address, form, issuer, see_other, sign_in};
use crate::app::App;
use crate::http::State;
use crate::http::caller::{Caller, From, SignedIn};
use crate::http::error::ApiResult;
use crate::http::guard::comes_from_us;
use crate::http::sign_in::sign_out;
use crate::store::clients;

const PATH: &str = "/oidc/logout";
pub const PAGE: &str = "logout";

pub async fn logout(
    app: State,
    Caller(caller): Caller,
    From(from): From,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let parameters = Parameters::parse(&query.unwrap_or_default());
    let readable = Readable::new(&app, PATH, &parameters, &headers);
    let answered = async {
        app.provider.take(from)?;
        respond(app, caller, &headers, &parameters, false).await
    };
    readable.or_page(answered.await)
}

pub async fn by_form(headers: HeaderMap, body: Bytes) -> ApiResult<Response> {
    as_address(PATH, &headers, &body)
}

/// The person has said yes on our page.
pub async fn confirmed(
    app: State,
    Caller(caller): Caller,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Response> {
    let sent = form(&headers, &body).ok_or(ErrorCode::Malformed)?;
    let field = |name| sent.one(name).ok().flatten().unwrap_or_default();
    let request = field("request");
    let ours = caller.as_ref().is_some_and(|caller| {
        let provider = &app.provider;
        comes_from_us(&app.origins, &headers)
            && provider.is_form_token(field("token"), PAGE, &caller.session, request)
    });
    respond(app, caller, &headers, &Parameters::parse(request), ours).await
}

async fn respond(
    app: State,
    caller: Option<SignedIn>,
    headers: &HeaderMap,
    parameters: &Parameters,
    confirmed: bool,
) -> ApiResult<Response> {
    let reader = Reader::new(&app, parameters, headers);
    let decision = match decide(&app, caller.as_ref(), parameters).await? {
        Ok(decision) => decision,
        Err(fault) => return page::fault(&reader, fault),
    };
    match (decision, caller) {
        (Decision::Ask(then), Some(caller)) if !confirmed => {
            let query = parameters.to_query();
            let token = app.provider.form_token(PAGE, &caller.session, &query);
            page::ask_logout(&reader, &caller, then.as_ref(), &query, &token)
        }
        (Decision::Ask(then) | Decision::SignOut(then), caller) => {
            let mut response = match then {
                Some(redirect) => see_other(&redirect.location())?,
                None => page::signed_out(&reader)?,
            };
            let ended = sign_out(app, Caller(caller)).await?;
            for cookie in ended.headers().get_all(header::SET_COOKIE) {
                response
                    .headers_mut()
                    .append(header::SET_COOKIE, cookie.clone());
            }
            Ok(response)
        }
    }
}

async fn decide(
    app: &App,
    caller: Option<&SignedIn>,
    parameters: &Parameters,
) -> ApiResult<Result<Decision, Fault>> {
    let request = match LogoutRequest::read(parameters) {
        Ok(request) => request,
        Err(fault) => return Ok(Err(fault)),
    };
    let hint = match &request.id_token_hint {
        None => None,
        Some(token) => {
            let ring = app.provider.keys.ring(&app.db).await?;
            read_hint(token, ring.public(), &issuer(app))
        }
    };
    let client = match request.client(hint.as_ref()) {
        Ok(None) => None,
        Ok(Some(id)) => clients::by_id(&app.db, &id).await?,
        Err(fault) => return Ok(Err(fault)),
    };
    let signed_in = caller.map(sign_in);
    Ok(request.decide(hint.as_ref(), client.as_ref(), signed_in.as_ref()))
}
