//! The authorization endpoint: what an application asks for, and whether the person is sent on, asked, or signed in first.
//!
//! Code with PKCE (S256) only. Client and redirect are checked before anything else: until both are right, nobody is sent
//! anywhere.

use sha2::{Digest, Sha256};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::parameters::Repeated;
use super::refusal::refused;
use super::{
    CODE_MS, Client, ClientId, Fault, GrantId, Issuer, OAuthError, Parameters, REFRESH_WHOLE_MS,
    Redirect, RedirectUri, Refusal, Scope, Scopes, SignIn, Subject,
};
use crate::{Secret, UnixMs};

/// A parameter of our own, in the address that one comes back to from the sign-in: a sign-in after this moment is the one
/// that was asked for. It weakens nothing: who can write it can leave out `prompt` as well, and `auth_time` tells the client.
pub const SIGNED_IN_AFTER: &str = "signed_in_after";

/// Longest `state` and `nonce`.
const VALUE_BYTES: usize = 2048;

/// Which client asks. The first thing to know: it has to be loaded.
pub fn client_id(parameters: &Parameters) -> Result<ClientId, Fault> {
    let id = parameters.one("client_id").map_err(|_| Fault::Repeated)?;
    let id = id.ok_or(Fault::ClientMissing)?;
    Ok(ClientId(id.to_owned()))
}

/// A request that is as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    redirect: RedirectUri,
    state: Option<String>,
    pub scopes: Scopes,
    nonce: Option<String>,
    challenge: Challenge,
    prompt: Prompt,
    max_age_s: Option<u64>,
    signed_in_after: Option<UnixMs>,
    /// To be verified by the caller, who knows the keys.
    pub id_token_hint: Option<String>,
}

/// SHA-256 of the verifier, as RFC 7636 writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge(String);

impl Challenge {
    fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_of(&self, verifier: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        (43..=128).contains(&verifier.len())
            && verifier.bytes().all(allowed)
            && BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == self.0
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Prompt {
    none: bool,
    login: bool,
    consent: bool,
}

impl Prompt {
    /// Choosing another account is signing in again.
    fn parse(text: &str) -> Option<Self> {
        let mut prompt = Self::default();
        for word in text.split(' ') {
            match word {
                "none" => prompt.none = true,
                "login" | "select_account" => prompt.login = true,
                "consent" => prompt.consent = true,
                _ => return None,
            }
        }
        let alone = !(prompt.none && (prompt.login || prompt.consent));
        alone.then_some(prompt)
    }
}

/// Why a request goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A page for the person.
    Page(Fault),
    /// Back to the application.
    Back(Redirect),
}

impl Request {
    pub fn read(
        parameters: &Parameters,
        client: Option<&Client>,
        issuer: &Issuer,
    ) -> Result<Self, Stop> {
        let client = client.ok_or(Stop::Page(Fault::ClientUnknown))?;
        let asked = parameters.one("redirect_uri");
        let asked = asked.map_err(|Repeated| Stop::Page(Fault::Repeated))?;
        let asked = asked.ok_or(Stop::Page(Fault::RedirectMissing))?;
        let redirect = client
            .redirect_uri(asked)
            .ok_or(Stop::Page(Fault::RedirectUnknown))?;
        let state = parameters.one("state");
        Self::details(parameters, redirect)
            .map_err(|refusal| Stop::Back(refused(refusal, redirect, state.ok().flatten(), issuer)))
    }

    fn details(parameters: &Parameters, redirect: &RedirectUri) -> Result<Self, Refusal> {
        let one = |name| {
            parameters
                .one(name)
                .map_err(|Repeated| invalid("a parameter stands twice"))
        };
        let value = |name| match one(name)? {
            Some(value) if value.len() > VALUE_BYTES => Err(invalid("state or nonce is too long")),
            value => Ok(value.map(str::to_owned)),
        };
        let state = value("state")?;
        refuse_unsupported(parameters)?;
        match one("response_type")? {
            Some("code") => {}
            Some(_) => {
                return Err(Refusal::new(
                    OAuthError::UnsupportedResponseType,
                    "only response_type=code",
                ));
            }
            None => return Err(invalid("response_type is missing")),
        }
        if one("response_mode")?.is_some_and(|mode| mode != "query") {
            return Err(invalid("only response_mode=query"));
        }
        let scopes = Scopes::parse(one("scope")?.unwrap_or_default());
        if !scopes.has(Scope::OpenId) {
            return Err(Refusal::new(
                OAuthError::InvalidScope,
                "scope does not contain openid",
            ));
        }
        if one("code_challenge_method")? != Some("S256") {
            return Err(invalid("only PKCE with code_challenge_method=S256"));
        }
        let challenge = one("code_challenge")?.and_then(Challenge::parse);
        let challenge = challenge.ok_or(invalid("code_challenge is missing or malformed"))?;
        let prompt = one("prompt")?.map_or(Some(Prompt::default()), Prompt::parse);
        let number = |name| match one(name)?.map(str::parse::<u64>) {
            Some(Err(_)) => Err(invalid("max_age is no number")),
            number => Ok(number.and_then(Result::ok)),
        };
        Ok(Self {
            redirect: redirect.clone(),
            state,
            scopes,
            nonce: value("nonce")?,
            challenge,
            prompt: prompt.ok_or(invalid("prompt is not understood"))?,
            max_age_s: number("max_age")?,
            signed_in_after: number(SIGNED_IN_AFTER)?,
            id_token_hint: one("id_token_hint")?.map(str::to_owned),
        })
    }

    pub fn redirect(&self) -> &RedirectUri {
        &self.redirect
    }
}

fn invalid(description: &'static str) -> Refusal {
    Refusal::new(OAuthError::InvalidRequest, description)
}

fn refuse_unsupported(parameters: &Parameters) -> Result<(), Refusal> {
    let unsupported = [
        ("request", OAuthError::RequestNotSupported),
        ("request_uri", OAuthError::RequestUriNotSupported),
        ("registration", OAuthError::RegistrationNotSupported),
    ];
    for (name, error) in unsupported {
        if parameters.one(name) != Ok(None) {
            return Err(Refusal::new(error, "requests are plain parameters here"));
        }
    }
    Ok(())
}

/// All that a decision depends on beside the request.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    pub now: UnixMs,
    pub signed_in: Option<&'a SignIn>,
    /// Whom the verified `id_token_hint` speaks of; `Some(None)` if it is no token of ours.
    pub hint: Option<Option<Subject>>,
    /// What this person has allowed this client before.
    pub allowed_before: &'a Scopes,
    /// What the person has just answered.
    pub answer: Option<Answer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Allow,
    Deny,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Sign in, again if need be, and come back to the same request with [`SIGNED_IN_AFTER`] set to now.
    SignIn,
    /// Ask the person.
    Ask,
    Back(Redirect),
    Grant(Box<Approval>),
}

/// What is to be written and told, once there is a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    client: ClientId,
    sign_in: SignIn,
    request: Request,
    /// To be remembered for the next time.
    pub remember: Option<Scopes>,
}

impl Request {
    pub fn decide(self, client: &Client, issuer: &Issuer, situation: &Situation<'_>) -> Decision {
        let back = |error, description| {
            let refusal = Refusal::new(error, description);
            Decision::Back(refused(
                refusal,
                &self.redirect,
                self.state.as_deref(),
                issuer,
            ))
        };
        let sign_in = || {
            if self.prompt.none {
                back(
                    OAuthError::LoginRequired,
                    "nobody is signed in freshly enough",
                )
            } else {
                Decision::SignIn
            }
        };
        let Some(signed_in) = situation.signed_in else {
            return sign_in();
        };
        match &situation.hint {
            Some(None) => return back(OAuthError::InvalidRequest, "id_token_hint is not ours"),
            Some(Some(hinted)) if *hinted != signed_in.subject => {
                return back(OAuthError::LoginRequired, "somebody else is signed in");
            }
            _ => {}
        }
        if !self.is_fresh(signed_in, situation.now) {
            return sign_in();
        }
        if !client.trusted {
            let known = situation.allowed_before.covers(&self.scopes) && !self.prompt.consent;
            match situation.answer {
                Some(Answer::Deny) => return back(OAuthError::AccessDenied, "the person said no"),
                Some(Answer::Allow) => {}
                None if known => {}
                None if self.prompt.none => {
                    return back(OAuthError::ConsentRequired, "the person has to be asked");
                }
                None => return Decision::Ask,
            }
        }
        let asked = !client.trusted && situation.answer == Some(Answer::Allow);
        Decision::Grant(Box::new(Approval {
            client: client.id.clone(),
            sign_in: signed_in.clone(),
            remember: asked.then(|| situation.allowed_before.and(&self.scopes)),
            request: self,
        }))
    }

    /// `max_age=0` is `prompt=login` in other words.
    fn is_fresh(&self, signed_in: &SignIn, now: UnixMs) -> bool {
        if self
            .signed_in_after
            .is_some_and(|after| signed_in.at >= after)
        {
            return true;
        }
        let age = now.saturating_sub(signed_in.at);
        let young = |most: u64| age < most.saturating_mul(1000);
        !self.prompt.login && self.max_age_s.is_none_or(young)
    }
}

/// An authorization as it is stored: the code's conditions, and then what all of its tokens rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub id: GrantId,
    pub client: ClientId,
    pub subject: Subject,
    /// The sign-in it came from.
    pub session: String,
    pub scopes: Scopes,
    pub nonce: Option<String>,
    pub auth_time: UnixMs,
    pub redirect_uri: String,
    pub challenge: Challenge,
    pub created: UnixMs,
    /// When the code was exchanged.
    pub redeemed: Option<UnixMs>,
}

impl Grant {
    pub fn code_expires(&self) -> UnixMs {
        self.created.saturating_add(CODE_MS)
    }

    /// Outlives the sign-in.
    pub fn is_offline(&self) -> bool {
        self.scopes.has(Scope::OfflineAccess)
    }

    /// When nothing that came of it can be valid any more.
    pub fn ends(&self) -> UnixMs {
        let life = if self.is_offline() {
            REFRESH_WHOLE_MS
        } else {
            CODE_MS
        };
        self.created
            .saturating_add(life)
            .saturating_add(super::ACCESS_MS)
    }
}

impl Approval {
    pub fn grant(&self, id: GrantId, now: UnixMs) -> Grant {
        Grant {
            id,
            client: self.client.clone(),
            subject: self.sign_in.subject.clone(),
            session: self.sign_in.session.clone(),
            scopes: self.request.scopes.clone(),
            nonce: self.request.nonce.clone(),
            auth_time: self.sign_in.at,
            redirect_uri: self.request.redirect.as_str().to_owned(),
            challenge: self.request.challenge.clone(),
            created: now,
            redeemed: None,
        }
    }

    pub fn answer(&self, code: &Secret, issuer: &Issuer) -> Redirect {
        let mut parameters = vec![("code", code.expose().to_owned())];
        let state = self.request.state.clone();
        parameters.extend(state.map(|state| ("state", state)));
        parameters.push(("iss", issuer.as_str().to_owned()));
        Redirect {
            to: self.request.redirect.clone(),
            parameters,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        CHALLENGE, NOW, VERIFIER, client, issuer, public_client, sign_in, trusted_client,
    };
    use super::*;

    fn usual() -> Parameters {
        Parameters::parse(&format!(
            "client_id=app&redirect_uri=https://app.example.org/cb&response_type=code&scope=openid+profile&state=s%261\
             &nonce=n1&code_challenge={CHALLENGE}&code_challenge_method=S256"
        ))
    }

    fn read(parameters: &Parameters, client: Option<&Client>) -> Result<Request, Stop> {
        Request::read(parameters, client, &issuer())
    }

    /// `Ok` if it is taken, a fault for the page, or what the application is told.
    fn outcome(parameters: &Parameters, client: Option<&Client>) -> Result<(), String> {
        read(parameters, client)
            .map(drop)
            .map_err(|stop| match stop {
                Stop::Page(fault) => format!("page: {fault:?}"),
                Stop::Back(redirect) => {
                    let told = |name| {
                        let mut all = redirect.parameters.iter();
                        all.find(|(key, _)| *key == name)
                            .map_or("-", |(_, value)| value.as_str())
                    };
                    assert_eq!(redirect.to.as_str(), "https://app.example.org/cb");
                    assert_eq!(told("iss"), "https://meet.example.org");
                    format!("{} {}", told("error"), told("state"))
                }
            })
    }

    #[track_caller]
    fn check(what: &str, change: &[(&str, &str)], expect: &str) {
        let mut parameters = usual();
        for (name, value) in change {
            parameters = parameters.with(name, value);
        }
        let found = outcome(&parameters, Some(&client()));
        assert_eq!(found.err().unwrap_or_default(), expect, "{what}");
    }

    #[test]
    fn a_usual_request_is_taken() {
        let request = read(&usual(), Some(&client())).expect("a request");
        assert_eq!(request.state.as_deref(), Some("s&1"));
        assert_eq!(request.nonce.as_deref(), Some("n1"));
        assert_eq!(request.scopes, Scopes::parse("openid profile"));
        assert_eq!(client_id(&usual()), Ok(ClientId("app".to_owned())));
    }

    #[test]
    fn a_wrong_client_or_redirect_sends_nobody_anywhere() {
        assert_eq!(client_id(&Parameters::default()), Err(Fault::ClientMissing));
        let twice = Parameters::parse("client_id=app&client_id=app");
        assert_eq!(client_id(&twice), Err(Fault::Repeated));
        assert_eq!(
            outcome(&usual(), None),
            Err("page: ClientUnknown".to_owned())
        );
        let unknown = "page: RedirectUnknown";
        let to = |what, uri, expect| check(what, &[("redirect_uri", uri)], expect);
        to("registered", "https://app.example.org/cb", "");
        to("also registered", "https://app.example.org/cb?tenant=1", "");
        to("none", "", "page: RedirectMissing");
        to("another host", "https://evil.example/cb", unknown);
        to("a subdomain", "https://x.app.example.org/cb", unknown);
        to("a prefix", "https://app.example.org/cb/more", unknown);
        to("a slash more", "https://app.example.org/cb/", unknown);
        to("a query more", "https://app.example.org/cb?x=1", unknown);
        to("a fragment more", "https://app.example.org/cb#x", unknown);
        to("a port more", "https://app.example.org:443/cb", unknown);
        to("capitals", "https://APP.example.org/cb", unknown);
        to("dots", "https://app.example.org/x/../cb", unknown);
        to("encoded", "https://app.example.org/%63b", unknown);
        to("a user", "https://app.example.org@evil.example/cb", unknown);
        to(
            "a backslash",
            "https://evil.example\\@app.example.org/cb",
            unknown,
        );
        to("another scheme", "http://app.example.org/cb", unknown);
        to("of the logout", "https://app.example.org/bye", unknown);
        let twice = format!("{}&redirect_uri=https://evil.example/", usual().to_query());
        assert_eq!(
            outcome(&Parameters::parse(&twice), Some(&client())),
            Err("page: Repeated".to_owned())
        );
    }

    #[test]
    fn everything_else_is_told_to_the_application_with_state_and_issuer() {
        let invalid = "invalid_request s&1";
        check("no type", &[("response_type", "")], invalid);
        for implicit in ["token", "id_token", "code id_token", "none"] {
            let expect = "unsupported_response_type s&1";
            check(implicit, &[("response_type", implicit)], expect);
        }
        check("query", &[("response_mode", "query")], "");
        check("fragment", &[("response_mode", "fragment")], invalid);
        check("a form", &[("response_mode", "form_post")], invalid);
        check("no scope", &[("scope", "")], "invalid_scope s&1");
        check("no openid", &[("scope", "profile")], "invalid_scope s&1");
        check("unknown scopes", &[("scope", "openid groups")], "");
        check("no challenge", &[("code_challenge", "")], invalid);
        check("a short challenge", &[("code_challenge", "abc")], invalid);
        check("no method", &[("code_challenge_method", "")], invalid);
        check("plain", &[("code_challenge_method", "plain")], invalid);
        check("prompt none", &[("prompt", "none")], "");
        check("none with others", &[("prompt", "none login")], invalid);
        check("unknown prompt", &[("prompt", "create")], invalid);
        check("two prompts", &[("prompt", "login consent")], "");
        check("max_age", &[("max_age", "60")], "");
        check("a negative one", &[("max_age", "-1")], invalid);
        check("a long nonce", &[("nonce", &"n".repeat(2049))], invalid);
        check("no nonce, no state", &[("nonce", ""), ("state", "")], "");
        for (name, error) in [
            ("request", "request_not_supported"),
            ("request_uri", "request_uri_not_supported"),
            ("registration", "registration_not_supported"),
        ] {
            check(name, &[(name, "x")], &format!("{error} s&1"));
        }
        for (name, state) in [("scope", "s&1"), ("state", "-"), ("code_challenge", "s&1")] {
            let twice = Parameters::parse(&format!("{}&{name}=x", usual().to_query()));
            assert_eq!(
                outcome(&twice, Some(&client())),
                Err(format!("invalid_request {state}")),
                "{name} twice"
            );
        }
    }

    struct Case<'a> {
        client: Client,
        change: &'a [(&'a str, &'a str)],
        signed_in: Option<SignIn>,
        allowed_before: &'a str,
        answer: Option<Answer>,
        hint: Option<Option<&'a str>>,
    }

    /// Signed in for a minute, nothing allowed yet.
    fn case(client: Client) -> Case<'static> {
        Case {
            client,
            change: &[],
            signed_in: Some(sign_in(NOW - 60_000)),
            allowed_before: "",
            answer: None,
            hint: None,
        }
    }

    #[track_caller]
    fn decides(what: &str, case: Case<'_>, expect: &str) -> Decision {
        let mut parameters = usual();
        for (name, value) in case.change {
            parameters = parameters.with(name, value);
        }
        let request = read(&parameters, Some(&case.client)).expect("a good request");
        let situation = Situation {
            now: NOW,
            signed_in: case.signed_in.as_ref(),
            hint: case
                .hint
                .map(|hint| hint.map(|subject| Subject(subject.to_owned()))),
            allowed_before: &Scopes::parse(case.allowed_before),
            answer: case.answer,
        };
        let decision = request.decide(&case.client, &issuer(), &situation);
        let word = match &decision {
            Decision::SignIn => "sign in".to_owned(),
            Decision::Ask => "ask".to_owned(),
            Decision::Back(redirect) => redirect.parameters[0].1.clone(),
            Decision::Grant(approval) => match &approval.remember {
                None => "grant".to_owned(),
                Some(scopes) => format!("grant, remember {scopes}"),
            },
        };
        assert_eq!(word, expect, "{what}");
        decision
    }

    #[test]
    fn who_is_not_signed_in_signs_in_first_unless_nothing_may_be_shown() {
        let nobody = || Case {
            signed_in: None,
            ..case(trusted_client())
        };
        decides("signed in", case(trusted_client()), "grant");
        decides("nobody", nobody(), "sign in");
        let change = &[("prompt", "none")][..];
        decides(
            "nobody, silently",
            Case { change, ..nobody() },
            "login_required",
        );
        decides(
            "signed in, silently",
            Case {
                change,
                ..case(trusted_client())
            },
            "grant",
        );
    }

    #[test]
    fn a_sign_in_that_is_not_fresh_enough_is_repeated_once() {
        let before = (NOW - 60_001).to_string();
        let later = (NOW - 59_999).to_string();
        let on = |what: &str, change: &[(&str, &str)], expect: &str| {
            let case = Case {
                change,
                ..case(trusted_client())
            };
            decides(what, case, expect);
        };
        on("an old one will do", &[("max_age", "61")], "grant");
        on("too old", &[("max_age", "60")], "sign in");
        on("max_age 0", &[("max_age", "0")], "sign in");
        on("asked for", &[("prompt", "login")], "sign in");
        on(
            "another account",
            &[("prompt", "select_account")],
            "sign in",
        );
        on(
            "too old, silently",
            &[("max_age", "60"), ("prompt", "none")],
            "login_required",
        );
        for change in [("prompt", "login"), ("max_age", "0"), ("max_age", "1")] {
            on("done", &[change, (SIGNED_IN_AFTER, &before)], "grant");
            on("not done", &[change, (SIGNED_IN_AFTER, &later)], "sign in");
        }
    }

    #[test]
    fn a_stranger_among_applications_needs_the_persons_word() {
        let of = |change, allowed_before, answer| Case {
            change,
            allowed_before,
            answer,
            ..case(client())
        };
        let none: &[(&str, &str)] = &[("prompt", "none")];
        let consent: &[(&str, &str)] = &[("prompt", "consent")];
        let all = "openid profile";
        decides("never asked", of(&[], "", None), "ask");
        decides("not for all of it", of(&[], "openid", None), "ask");
        decides("asked before", of(&[], all, None), "grant");
        decides("asked before, asked again", of(consent, all, None), "ask");
        decides("silently", of(none, "", None), "consent_required");
        decides("silently, asked before", of(none, all, None), "grant");
        decides("no", of(&[], "", Some(Answer::Deny)), "access_denied");
        decides(
            "no, after a yes",
            of(consent, all, Some(Answer::Deny)),
            "access_denied",
        );
        decides(
            "yes",
            of(&[], "offline_access", Some(Answer::Allow)),
            "grant, remember openid profile offline_access",
        );
        let login: &[(&str, &str)] = &[("prompt", "login")];
        decides(
            "yes, but signed in too long ago",
            of(login, "", Some(Answer::Allow)),
            "sign in",
        );
        decides(
            "public clients too",
            Case {
                client: public_client(),
                ..of(&[], "", None)
            },
            "ask",
        );
    }

    #[test]
    fn a_hint_names_who_must_be_signed_in() {
        let hinted = |hint| Case {
            hint: Some(hint),
            ..case(trusted_client())
        };
        decides("the same", hinted(Some("anna")), "grant");
        decides("somebody else", hinted(Some("bela")), "login_required");
        decides("no token of ours", hinted(None), "invalid_request");
    }

    #[test]
    fn a_grant_carries_what_was_asked_and_the_answer_the_code_the_state_and_the_issuer() {
        let Decision::Grant(approval) = decides("", case(trusted_client()), "grant") else {
            panic!("a grant");
        };
        let code = Secret::new([3; 32]);
        let grant = approval.grant(GrantId("g".to_owned()), NOW);
        assert_eq!(grant.nonce.as_deref(), Some("n1"));
        assert_eq!(grant.auth_time, NOW - 60_000);
        assert!(grant.challenge.is_of(VERIFIER));
        assert_eq!(
            approval.answer(&code, &issuer()).location(),
            format!(
                "https://app.example.org/cb?code={}&state=s%261&iss=https%3A%2F%2Fmeet.example.org",
                code.expose()
            )
        );
        let queried = Redirect {
            to: RedirectUri::from_stored("https://app.example.org/cb?tenant=1".to_owned()),
            parameters: vec![("code", "x y".to_owned())],
        };
        assert_eq!(
            queried.location(),
            "https://app.example.org/cb?tenant=1&code=x+y"
        );
    }

    #[test]
    fn only_the_verifier_of_the_challenge_fits() {
        // Appendix B of RFC 7636.
        let challenge = Challenge::parse(CHALLENGE).expect("a challenge");
        assert!(challenge.is_of(VERIFIER));
        let check = |what: &str, verifier: &str| assert!(!challenge.is_of(verifier), "{what}");
        check("empty", "");
        check("another", &VERIFIER.replace('d', "e"));
        check("the challenge itself", CHALLENGE);
        check("a shorter one", &VERIFIER[..42]);
        let long = "a".repeat(129);
        let of_long = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&long));
        let of_long = Challenge::parse(&of_long).expect("a challenge");
        assert!(!of_long.is_of(&long), "too long");
        let odd = " ".repeat(50);
        let of_odd = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&odd));
        let of_odd = Challenge::parse(&of_odd).expect("a challenge");
        assert!(!of_odd.is_of(&odd), "characters that none may have");
    }
}
