//! Media on the port of HTTPS: the first byte of a connection says which of both it is, since no frame of media is as long as a
//! TLS record's first bytes would say.

use std::io;
use std::time::Duration;

use axum_server::accept::Accept;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Front;

/// How long a connection may take to say anything.
const FIRST_BYTE: Duration = Duration::from_secs(10);
/// Frames of up to 2 048 bytes begin with no more than this.
const LAST_OF_MEDIA: u8 = 8;

/// Lets through to TLS what is no media.
#[derive(Clone)]
pub struct BesideTls {
    pub media: Front,
    /// What clients were told to connect to.
    pub port: u16,
}

impl<S: Send + 'static> Accept<TcpStream, S> for BesideTls {
    type Stream = TcpStream;
    type Service = S;
    type Future = BoxFuture<'static, io::Result<(TcpStream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let BesideTls { media, port } = self.clone();
        let accepted = async move {
            let mut first = [0];
            if timeout(FIRST_BYTE, stream.peek(&mut first)).await?? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if first[0] <= LAST_OF_MEDIA {
                media.take(stream, port);
                return Err(io::Error::other("it is media"));
            }
            // As where there is no TLS.
            stream.set_nodelay(true)?;
            Ok((stream, service))
        };
        accepted.boxed()
    }
}
