//! Mail that the house sends: one letter each to one person, without making anybody wait. Letters wait in memory only,
//! since links stand in them; what a server will not take now is tried again while it makes sense.
//!
//! What stands in them is in `letters`; who gets one is decided elsewhere. Logs say how it went, never to whom.

pub mod letters;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use identity::{Mail as Address, UnixMs};
use lettre::message::header::{
    ContentTransferEncoding, ContentType, ContentTypeErr, HeaderName, HeaderValue,
};
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use url::Url;

use crate::chance;
use crate::config::outside::{self, Mail as Settings};
use crate::private::Private;
use letters::{CalendarPart, Letter};

/// Letters that may wait; more than that is a mistake or an attack.
const QUEUE: usize = 1000;
/// Connections to the mail server at once.
const LINES: usize = 2;
/// Of each step of a delivery.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Before a letter is tried again. Servers that greylist want some minutes.
const PAUSES: &[Duration] = &[
    Duration::from_secs(2),
    Duration::from_secs(20),
    Duration::from_secs(2 * 60),
    Duration::from_secs(6 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(30 * 60),
];

/// Cheap to clone. Of a house without mail, it takes nothing.
#[derive(Clone, Debug)]
pub struct Mailer(Option<Arc<Office>>);

#[derive(Debug)]
struct Office {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    queue: Arc<Semaphore>,
    lines: Semaphore,
    pauses: &'static [Duration],
}

#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("the house sends no mail: set mail.server and mail.from")]
    None,
    #[error("the letter cannot be written: {0}")]
    Letter(#[from] lettre::error::Error),
    #[error("the address cannot be written to: {0}")]
    Address(#[from] lettre::address::AddressError),
    #[error("the letter cannot be written: {0}")]
    Kind(#[from] ContentTypeErr),
    #[error("the mail server refuses it or is not there: {0}")]
    Server(#[from] smtp::Error),
}

impl Mailer {
    /// `host`: what the house calls itself when it greets the mail server.
    pub fn new(settings: &Settings, host: Option<&str>) -> anyhow::Result<Self> {
        Self::with_pauses(settings, host, PAUSES)
    }

    fn with_pauses(
        settings: &Settings,
        host: Option<&str>,
        pauses: &'static [Duration],
    ) -> anyhow::Result<Self> {
        let (Some(server), Some(from)) = (&settings.server, &settings.from) else {
            return Ok(Self(None));
        };
        let password = outside::secret(&settings.password, &settings.password_file)?;
        let url = connection(server, password.as_deref(), host)?;
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str())
            .context("mail.server cannot be used")?
            .timeout(Some(TIMEOUT))
            .build();
        Ok(Self(Some(Arc::new(Office {
            server,
            from: from.parse().context("mail.from is no mail address")?,
            queue: Arc::new(Semaphore::new(QUEUE)),
            lines: Semaphore::new(LINES),
            pauses,
        }))))
    }

    /// Letters that are on their way or wait for another try.
    pub fn waiting(&self) -> usize {
        self.0.as_ref().map_or(0, |office| {
            QUEUE - office.queue.available_permits().min(QUEUE)
        })
    }

    pub fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// The address that letters come from, in a house that sends any.
    pub fn address(&self) -> Option<String> {
        self.0.as_ref().map(|office| office.address())
    }

    /// Takes the letter and sees to it from now on. `false` if the house sends no mail, or far too much waits already.
    pub fn post(&self, letter: Letter, to: &Address) -> bool {
        let Some(office) = &self.0 else {
            return false;
        };
        let Ok(place) = office.queue.clone().try_acquire_owned() else {
            tracing::warn!("too many letters wait for the mail server; one more was thrown away");
            return false;
        };
        match office.write(&letter, to) {
            Ok(message) => {
                tokio::spawn(office.clone().deliver(message, letter.until, place));
                true
            }
            Err(error) => {
                tracing::warn!(error = %Private(error), "a letter cannot be written");
                false
            }
        }
    }

    /// Sends the letter now, once, and says how it went.
    pub async fn send(&self, letter: Letter, to: &Address) -> Result<(), MailError> {
        let office = self.0.as_ref().ok_or(MailError::None)?;
        let message = office.write(&letter, to)?;
        office.server.send(message).await?;
        Ok(())
    }
}

impl Office {
    fn write(&self, letter: &Letter, to: &Address) -> Result<Message, MailError> {
        // Out-of-office notes and the like do not answer such letters (RFC 3834).
        let automatic = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        let reply_to = match &letter.reply_to {
            Some(mail) => Some(Mailbox::new(None, mail.as_str().parse()?)),
            None => None,
        };
        let message_id = format!("<{}@{}>", chance::id(), self.from.email.domain());
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.as_str().parse()?))
            .subject(letter.subject.clone())
            .message_id(Some(message_id))
            .date_now()
            .raw_header(automatic);
        if let Some(reply_to) = reply_to {
            message = message.reply_to(reply_to);
        }
        let text = plain(&letter.text);
        Ok(match &letter.calendar {
            Some(calendar) => message.multipart(with_calendar(text, calendar)?)?,
            None => message.singlepart(text)?,
        })
    }

    /// The address that letters come from.
    fn address(&self) -> String {
        self.from.email.to_string()
    }

    async fn deliver(
        self: Arc<Self>,
        message: Message,
        until: Option<UnixMs>,
        place: OwnedSemaphorePermit,
    ) {
        let letter = chance::id();
        for attempt in 0.. {
            let sent = match self.lines.acquire().await {
                Ok(_line) => self.server.send(message.clone()).await,
                Err(_) => return,
            };
            let Err(error) = sent else {
                tracing::info!(%letter, attempt, "a letter went out");
                break;
            };
            let status = error.status().map(|code| code.to_string());
            let pause = self.pauses.get(attempt).copied();
            let again = pause.filter(|pause| !error.is_permanent() && in_time(*pause, until));
            let error = Private(error);
            match again {
                Some(pause) => {
                    tracing::info!(%letter, attempt, ?status, %error, "a letter waits for the mail server");
                    sleep(pause).await;
                }
                None => {
                    tracing::warn!(%letter, attempt, ?status, %error, "a letter was given up");
                    break;
                }
            }
        }
        drop(place);
    }
}

fn plain(text: &str) -> SinglePart {
    let mut part = SinglePart::builder().header(ContentType::TEXT_PLAIN);
    if text.is_ascii() && text.lines().all(|line| line.len() < 78) {
        part = part.header(ContentTransferEncoding::SevenBit);
    }
    part.body(text.to_owned())
}

/// The meeting beside the text, which calendars take in by themselves (RFC 6047), and as a file for all others.
fn with_calendar(text: SinglePart, calendar: &CalendarPart) -> Result<MultiPart, MailError> {
    let kind = format!("text/calendar; method={}; charset=utf-8", calendar.method);
    let inline = SinglePart::builder()
        .header(ContentType::parse(&kind)?)
        .header(ContentTransferEncoding::Base64)
        .body(calendar.text.clone());
    let file = Attachment::new("meeting.ics".to_owned());
    let file = file.body(
        calendar.text.clone(),
        ContentType::parse("application/ics")?,
    );
    let both = MultiPart::alternative().singlepart(text).singlepart(inline);
    Ok(MultiPart::mixed().multipart(both).singlepart(file))
}

/// Whether what stands in the letter is still good after the pause.
fn in_time(pause: Duration, until: Option<UnixMs>) -> bool {
    let then = chance::unix_ms() + pause.as_millis() as u64;
    until.is_none_or(|until| then < until)
}

/// The address with everything in it that `lettre` reads from one: password, kind of encryption, own name.
fn connection(server: &Url, password: Option<&str>, host: Option<&str>) -> anyhow::Result<Url> {
    let mut url = server.clone();
    let plain = server.scheme() == "smtp" && outside::is_local(server);
    url.set_query((server.scheme() == "smtp" && !plain).then_some("tls=required"));
    url.set_path(host.unwrap_or_default());
    if url.set_password(password).is_err() {
        anyhow::bail!("mail.server cannot be used with a password");
    }
    Ok(url)
}

#[cfg(test)]
mod tests;
