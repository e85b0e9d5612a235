//! `/oidc/authorize` and the consent page's form: for browsers.

use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::http::HeaderMap;
use axum::response::Response;
use identity::provider::authorize::{
    Answer, Approval, Decision, Request, SIGNED_IN_AFTER, Situation, Stop, client_id,
};
use identity::provider::claims::read_hint;
use identity::provider::{Client, Fault, GrantId, Parameters, Scopes, Subject};
use protocol::ErrorCode;

use super::page::{self, Readable, Reader};
use super::{as_address, form, issuer, see_other, sign_in};
use crate::app::App;
use crate::chance;
use crate::http::State;
use crate::http::caller::{Caller, From, SignedIn};
use crate::http::error::ApiResult;
use crate::http::guard::comes_from_us;
use crate::store::{clients, grants};

const PATH: &str = "/oidc/authorize";
/// What a form's token is for.
pub const PAGE: &str = "consent";

pub async fn authorize(
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
        let asked = Asked {
            parameters,
            caller,
            answer: None,
        };
        asked.respond(&app, &headers).await
    };
    readable.or_page(answered.await)
}

pub async fn by_form(headers: HeaderMap, body: Bytes) -> ApiResult<Response> {
    as_address(PATH, &headers, &body)
}

/// The person has answered on our page.
pub async fn answered(
    app: State,
    Caller(caller): Caller,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Response> {
    let sent = form(&headers, &body).ok_or(ErrorCode::Malformed)?;
    let field = |name| sent.one(name).ok().flatten().unwrap_or_default();
    let request = field("request").to_owned();
    let ours = caller.as_ref().is_some_and(|caller| {
        let token = field("token");
        let provider = &app.provider;
        comes_from_us(&app.origins, &headers)
            && provider.is_form_token(token, PAGE, &caller.session, &request)
    });
    let answer = match field("answer") {
        "allow" => Some(Answer::Allow),
        "deny" => Some(Answer::Deny),
        _ => None,
    };
    let parameters = Parameters::parse(&request);
    let readable = Readable::new(&app, PATH, &parameters, &headers);
    let asked = Asked {
        parameters,
        caller,
        // A form that is not of this page and this sign-in decides nothing: the person is asked (again).
        answer: answer.filter(|_| ours),
    };
    readable.or_page(asked.respond(&app, &headers).await)
}

struct Asked {
    parameters: Parameters,
    caller: Option<SignedIn>,
    answer: Option<Answer>,
}

impl Asked {
    async fn respond(self, app: &App, headers: &HeaderMap) -> ApiResult<Response> {
        let reader = Reader::new(app, &self.parameters, headers);
        let issuer = issuer(app);
        let client = match client_id(&self.parameters) {
            Ok(id) => clients::by_id(&app.db, &id).await?,
            Err(fault) => return page::fault(&reader, fault),
        };
        let request = match Request::read(&self.parameters, client.as_ref(), &issuer) {
            Ok(request) => request,
            Err(Stop::Page(fault)) => return page::fault(&reader, fault),
            Err(Stop::Back(redirect)) => return see_other(&redirect.location()),
        };
        let Some(client) = client else {
            return page::fault(&reader, Fault::ClientUnknown);
        };
        let signed_in = self.caller.as_ref().map(sign_in);
        let now = chance::unix_ms();
        let situation = Situation {
            now,
            signed_in: signed_in.as_ref(),
            hint: hinted(app, &request).await?,
            allowed_before: &self.allowed_before(app, &client).await?,
            answer: self.answer,
        };
        let asked = request.clone();
        match (request.decide(&client, &issuer, &situation), &self.caller) {
            (Decision::Back(redirect), _) => see_other(&redirect.location()),
            (Decision::Grant(approval), _) => grant(app, &approval, &client).await,
            (Decision::Ask, Some(caller)) => {
                let query = self.parameters.to_query();
                let token = app.provider.form_token(PAGE, &caller.session, &query);
                page::consent(&reader, &client, &asked, caller, &query, &token)
            }
            (Decision::SignIn | Decision::Ask, caller) => {
                let again = caller.is_some();
                let back = self.parameters.with(SIGNED_IN_AFTER, &now.to_string());
                see_other(&sign_in_page(&back, again))
            }
        }
    }

    async fn allowed_before(&self, app: &App, client: &Client) -> ApiResult<Scopes> {
        let Some(caller) = &self.caller else {
            return Ok(Scopes::default());
        };
        Ok(grants::allowed(&app.db, &caller.account.id, &client.id).await?)
    }
}

async fn hinted(app: &App, request: &Request) -> ApiResult<Option<Option<Subject>>> {
    let Some(token) = &request.id_token_hint else {
        return Ok(None);
    };
    let ring = app.provider.keys.ring(&app.db).await?;
    let hint = read_hint(token, ring.public(), &issuer(app));
    Ok(Some(hint.map(|(subject, _)| subject)))
}

/// The app's own page, which leads back by a whole navigation. `again`: also if somebody is signed in.
fn sign_in_page(back: &Parameters, again: bool) -> String {
    let to = format!("{PATH}?{}", back.to_query());
    let page = Parameters::default().with("to", &to);
    let page = if again { page.with("again", "1") } else { page };
    format!("/sign-in?{}", page.to_query())
}

async fn grant(app: &App, approval: &Approval, client: &Client) -> ApiResult<Response> {
    let code = chance::secret();
    let now = chance::unix_ms();
    let grant = approval.grant(GrantId(chance::id()), now);
    if let Some(scopes) = &approval.remember {
        let user = grant.subject.0.as_str().into();
        grants::remember(&app.db, &user, &client.id, scopes, now).await?;
    }
    grants::create(&app.db, &grant, code.hash()).await?;
    tracing::info!(client = client.id.as_str(), grant = %grant.id.0, "a code was given");
    see_other(&approval.answer(&code, &issuer(app)).location())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_in_leads_back_to_the_very_same_request() {
        let back = Parameters::parse("client_id=a&state=%C3%A4%26%3D").with(SIGNED_IN_AFTER, "5");
        let page = sign_in_page(&back, false);
        let query = page.strip_prefix("/sign-in?").expect("the page");
        let query = Parameters::parse(query);
        let to = query.one("to").expect("once").expect("an address");
        assert_eq!(
            to,
            "/oidc/authorize?client_id=a&state=%C3%A4%26%3D&signed_in_after=5"
        );
        assert_eq!(query.one("again"), Ok(None));
        assert!(sign_in_page(&back, true).ends_with("&again=1"));
    }
}
