//! The public HTTP interface as a client uses it: set-up, sign-in, doors, guests and tickets. Keeps the cookie of one
//! session; knows nothing of sockets and media.

use anyhow::{Context as _, Result, bail};
use protocol::{
    Access, DeviceId, ErrorCode,
    http::{
        ChangeRoom, CreateRoom, Door, GuestEntry, GuestGrant, House as HousePage, HttpError, Setup,
        SignIn, SignInStep, Ticket, User,
    },
};
use reqwest::{Client, Method, RequestBuilder, header};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

/// A server's address.
#[derive(Clone, Debug)]
pub struct House {
    url: Url,
}

/// The server refused a request; find it with `error.downcast_ref::<HttpRefused>()`.
#[derive(Clone, Debug)]
pub struct HttpRefused {
    pub status: u16,
    pub code: ErrorCode,
}

impl std::fmt::Display for HttpRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "refused with {} {:?}", self.status, self.code)
    }
}

impl std::error::Error for HttpRefused {}

/// Somebody who may ask for a ticket.
#[derive(Clone, Debug)]
pub enum Person {
    Account(Account),
    Guest(Guest),
}

#[derive(Clone, Debug)]
pub struct Account {
    house: House,
    client: Client,
    user: User,
}

#[derive(Clone, Debug)]
pub struct Guest {
    house: House,
    client: Client,
    grant: String,
    name: String,
}

impl House {
    pub fn new(url: &str) -> Result<Self> {
        let url = Url::parse(url).with_context(|| format!("{url} is no address"))?;
        Ok(Self { url })
    }

    pub async fn page(&self) -> Result<HousePage> {
        answer(self.request(&client()?, Method::GET, "me")?).await
    }

    /// Makes the administrator with the token of the set-up link.
    pub async fn set_up(
        &self,
        token: &str,
        username: &str,
        name: &str,
        password: &str,
    ) -> Result<Account> {
        let client = client()?;
        let body = Setup {
            token: token.into(),
            username: username.into(),
            name: name.into(),
            password: password.into(),
        };
        let user = answer(self.post(&client, "setup", &body)?).await?;
        Ok(Account {
            house: self.clone(),
            client,
            user,
        })
    }

    pub async fn sign_in(&self, username: &str, password: &str) -> Result<Account> {
        let client = client()?;
        let body = SignIn {
            username: username.into(),
            password: password.into(),
        };
        let step = answer(self.post(&client, "session", &body)?).await?;
        let SignInStep::Done { user } = step else {
            bail!("{username} is asked for a second factor, and bots have none");
        };
        Ok(Account {
            house: self.clone(),
            client,
            user,
        })
    }

    /// A grant for one open room.
    pub async fn guest(&self, room: &str, name: &str) -> Result<Guest> {
        let client = client()?;
        let body = GuestEntry {
            room: room.into(),
            invite: None,
            name: name.into(),
        };
        let grant: GuestGrant = answer(self.post(&client, "guests", &body)?).await?;
        Ok(Guest {
            house: self.clone(),
            client,
            grant: grant.grant,
            name: grant.name,
        })
    }

    /// The origin as browsers write it.
    pub(crate) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    pub(crate) fn socket_address(&self, ticket: &Ticket) -> Result<Url> {
        let mut url = self.api("socket")?;
        url.query_pairs_mut().append_pair("ticket", &ticket.ticket);
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        url.set_scheme(scheme)
            .ok()
            .context("the address of a house begins with http")?;
        Ok(url)
    }

    fn api(&self, path: &str) -> Result<Url> {
        Ok(self.url.join(&format!("/api/v1/{path}"))?)
    }

    fn request(&self, client: &Client, method: Method, path: &str) -> Result<RequestBuilder> {
        Ok(client
            .request(method, self.api(path)?)
            .header(header::ORIGIN, self.origin()))
    }

    fn post(&self, client: &Client, path: &str, body: &impl Serialize) -> Result<RequestBuilder> {
        Ok(self.request(client, Method::POST, path)?.json(body))
    }
}

impl Account {
    pub fn user(&self) -> &User {
        &self.user
    }

    pub async fn door(&self, room: &str) -> Result<Door> {
        let mut address = self.house.api("door")?;
        address.query_pairs_mut().append_pair("room", room);
        answer(self.client.get(address)).await
    }

    /// Makes the room if it is not there yet, open to guests or not.
    pub async fn room(&self, name: &str, access: Access) -> Result<Door> {
        let made: Door = answer(self.house.post(
            &self.client,
            "rooms",
            &CreateRoom { name: name.into() },
        )?)
        .await?;
        if made.access == access {
            return Ok(made);
        }
        self.change_room(&ChangeRoom {
            name: name.into(),
            access: Some(access),
            knock: None,
            new_name: None,
        })
        .await
    }

    pub async fn change_room(&self, change: &ChangeRoom) -> Result<Door> {
        answer(
            self.house
                .request(&self.client, Method::PATCH, "rooms")?
                .json(change),
        )
        .await
    }

    pub async fn sign_out(&self) -> Result<()> {
        let request = self
            .house
            .request(&self.client, Method::DELETE, "session")?;
        let response = request
            .header(header::CONTENT_TYPE, "application/json")
            .send()
            .await?;
        refusal(response).await.map(drop)
    }
}

impl Person {
    pub fn name(&self) -> &str {
        match self {
            Self::Account(account) => &account.user.name,
            Self::Guest(guest) => &guest.name,
        }
    }

    pub(crate) fn house(&self) -> &House {
        match self {
            Self::Account(account) => &account.house,
            Self::Guest(guest) => &guest.house,
        }
    }

    pub(crate) async fn ticket(&self) -> Result<Ticket> {
        let nothing = serde_json::Map::new();
        match self {
            Self::Account(account) => {
                answer(account.house.post(&account.client, "tickets", &nothing)?).await
            }
            Self::Guest(guest) => {
                answer(
                    guest
                        .house
                        .post(&guest.client, "tickets", &nothing)?
                        .bearer_auth(&guest.grant),
                )
                .await
            }
        }
    }
}

impl From<Account> for Person {
    fn from(account: Account) -> Self {
        Self::Account(account)
    }
}

impl From<Guest> for Person {
    fn from(guest: Guest) -> Self {
        Self::Guest(guest)
    }
}

/// A device id as the protocol wants it: 128 random bits.
pub(crate) fn random_device() -> Result<DeviceId> {
    let number = getrandom::u64().context("no randomness")?;
    let other = getrandom::u64().context("no randomness")?;
    Ok(DeviceId(format!("{number:016x}{other:016x}")))
}

fn client() -> Result<Client> {
    Ok(Client::builder().cookie_store(true).no_proxy().build()?)
}

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T> {
    Ok(refusal(request.send().await?).await?.json().await?)
}

async fn refusal(response: reqwest::Response) -> Result<reqwest::Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.text().await?;
    let error: HttpError = serde_json::from_str(&body)
        .with_context(|| format!("{status} without an error code: {body:.200}"))?;
    Err(HttpRefused {
        status: status.as_u16(),
        code: error.code,
    }
    .into())
}
