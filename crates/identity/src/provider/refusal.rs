//! How a request is refused: on a page for the person, or in the words of the RFCs for the application.

use super::parameters;
use super::{Issuer, RedirectUri};

/// Something is wrong about client or redirect: nobody is sent anywhere, the person reads a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    ClientMissing,
    ClientUnknown,
    RedirectMissing,
    RedirectUnknown,
    /// The client that is named is not the one that the ID token was for.
    ClientMismatch,
    Repeated,
}

impl Fault {
    /// For those who set the application up.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientMissing => "client_id is missing",
            Self::ClientUnknown => "client_id is not registered",
            Self::RedirectMissing => "the redirect address is missing",
            Self::RedirectUnknown => {
                "the redirect address is not, character by character, one that is registered"
            }
            Self::ClientMismatch => "client_id and id_token_hint name different clients",
            Self::Repeated => "a parameter stands twice",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthError {
    InvalidRequest,
    InvalidScope,
    UnsupportedResponseType,
    AccessDenied,
    LoginRequired,
    ConsentRequired,
    RequestNotSupported,
    RequestUriNotSupported,
    RegistrationNotSupported,
    InvalidClient,
    InvalidGrant,
    UnsupportedGrantType,
    InvalidToken,
    InsufficientScope,
}

impl OAuthError {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub error: OAuthError,
    /// For developers; only characters that RFC 6749 allows there.
    pub description: &'static str,
}

impl Refusal {
    pub const fn new(error: OAuthError, description: &'static str) -> Self {
        Self { error, description }
    }
}

/// Where the browser goes next: a registered address and what it is told there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    pub to: RedirectUri,
    pub parameters: Vec<(&'static str, String)>,
}

impl Redirect {
    pub fn location(&self) -> String {
        let to = self.to.as_str();
        if self.parameters.is_empty() {
            return to.to_owned();
        }
        let joint = match to.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        format!("{to}{joint}{}", parameters::query(&self.parameters))
    }
}

/// Tells the application; with `iss`, so that it knows who refuses (RFC 9207).
pub(super) fn refused(
    refusal: Refusal,
    to: &RedirectUri,
    state: Option<&str>,
    issuer: &Issuer,
) -> Redirect {
    let mut parameters = vec![
        ("error", refusal.error.as_str().to_owned()),
        ("error_description", refusal.description.to_owned()),
    ];
    parameters.extend(state.map(|state| ("state", state.to_owned())));
    parameters.push(("iss", issuer.as_str().to_owned()));
    Redirect {
        to: to.clone(),
        parameters,
    }
}
