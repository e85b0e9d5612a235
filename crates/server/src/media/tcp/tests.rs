//! Connections over real sockets without shards behind them: what gets through, what is closed, and what is left out.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpStream};
use std::time::Instant;

use ::media::{Transmit, Transport, frames, put_frame, whole_frames};
use axum_server::accept::Accept;
use str0m::ice::{StunMessage, TransId};

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// A front with the ends of two shards, and where it is.
fn front() -> (Front, Vec<Connections>, SocketAddr) {
    let (front, connections, [address]) = front_at();
    (front, connections, address)
}

/// On several ports.
fn front_at<const PORTS: usize>() -> (Front, Vec<Connections>, [SocketAddr; PORTS]) {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listeners = [(); PORTS].map(|()| sys::listen(any).expect("a port"));
    let addresses = listeners.each_ref().map(TcpListener::local_addr);
    let wakers = [(); 2].map(|()| Arc::new(Waker::new().expect("an eventfd")));
    let (front, connections) = Front::new(listeners.into(), &wakers);
    front.listen().expect("a listener");
    let addresses = addresses.map(|address| address.expect("an address"));
    (front, connections, addresses)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    let patience = Some(PATIENCE);
    stream.set_read_timeout(patience).expect("a timeout");
    stream
}

/// A connectivity check for whoever has this user name, in a frame.
fn check(ufrag: &str) -> Vec<u8> {
    let crypto = str0m::crypto::from_feature_flags();
    let hmac = |key: &[u8], parts: &[&[u8]]| crypto.sha1_hmac_provider.sha1_hmac(key, parts);
    let name = format!("{ufrag}:theirs");
    let request = StunMessage::binding_request(&name, TransId::new(), true, 1, 1_000, true);
    let mut bytes = vec![0; 300];
    let length = request.to_bytes(Some(b"a password"), &mut bytes, hmac);
    frame(&bytes[..length.expect("room")])
}

fn frame(bytes: &[u8]) -> Vec<u8> {
    let mut framed = vec![];
    put_frame(bytes, &mut framed);
    framed
}

/// That the server closes it, and how long that takes.
fn closed_after(stream: &mut TcpStream) -> Duration {
    let before = Instant::now();
    let read = stream.read(&mut [0; 100]);
    let is_reset = |error: &std::io::Error| error.kind() == io::ErrorKind::ConnectionReset;
    let is_closed = read.as_ref().map_or_else(is_reset, |length| *length == 0);
    assert!(is_closed, "{read:?}");
    before.elapsed()
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < until, "not in time: {what}");
        std::thread::yield_now();
    }
}

/// What has come for a shard.
fn come(connections: &mut Connections) -> Vec<(SocketAddr, SocketAddr, Vec<u8>)> {
    let mut all = vec![];
    while connections.take(|datagram| {
        assert_eq!(datagram.transport, Transport::Tcp);
        all.push((
            datagram.source,
            datagram.destination,
            datagram.bytes.to_vec(),
        ));
    }) {}
    all
}

fn run(destination: SocketAddr, bytes: &[u8], segment: usize) -> Transmit<'_> {
    Transmit {
        transport: Transport::Tcp,
        source: destination,
        destination,
        bytes,
        segment,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_no_check_for_a_shard_is_closed_at_once_and_gets_to_none() {
    let (front, mut shards, address) = front();
    let mut answer = check("1abc");
    answer[2] = 1;
    let rows: [(&str, Vec<u8>); 8] = [
        ("HTTP", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("TLS", vec![22, 3, 1, 2, 0, 1, 0, 1]),
        ("a length that no datagram has", vec![8, 1]),
        ("noise", frame(&[7; 500])),
        ("RTP", frame(&[128, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7])),
        ("an empty frame", vec![0, 0]),
        ("an answer", answer),
        ("a shard that there is not", check("2abc")),
    ];
    let count = rows.len() as u64;
    for (what, bytes) in rows {
        let mut stream = connect(address);
        stream.write_all(&bytes).expect(what);
        let took = closed_after(&mut stream);
        assert!(took < Duration::from_secs(4), "{what}: {took:?}");
    }
    until("all gone", || front.numbers().open == 0);
    let numbers = front.numbers();
    assert_eq!((numbers.accepted, numbers.refused), (count, count));
    assert!(shards.iter_mut().all(|shard| come(shard).is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_long_for_a_first_frame_or_gets_no_answer_is_closed() {
    let (front, mut shards, address) = front();
    let mut slow = connect(address);
    let mut silent = connect(address);
    let mut unanswered = connect(address);
    let mut hasty = connect(address);
    let whole = check("1abc");
    unanswered.write_all(&whole).expect("sent");
    // Nobody sends so many before one is answered.
    for _ in 0..140 {
        let _ = hasty.write_all(&whole);
    }
    closed_after(&mut hasty);
    for byte in &whole[..20] {
        slow.write_all(&[*byte]).expect("sent");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for stream in [&mut slow, &mut silent, &mut unanswered] {
        closed_after(stream);
    }
    until("all gone", || front.numbers().open == 0);
    // Whoever says nothing at all has found a better way.
    assert_eq!(front.numbers().refused, 3);
    assert_eq!(come(&mut shards[0]).len(), 0);
    assert!(come(&mut shards[1]).len() <= 129);
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_go_to_the_shard_that_the_first_one_names_and_back_to_who_sent_them() {
    let (front, mut shards, address) = front();
    let mut stream = connect(address);
    let own = stream.local_addr().expect("an address");
    let first = check("1abc");
    // In pieces, as it may come.
    stream.write_all(&first[..1]).expect("sent");
    stream.write_all(&first[1..30]).expect("sent");
    stream.write_all(&first[30..]).expect("sent");
    let mut all = vec![];
    until("the first frame", || {
        all.extend(come(&mut shards[1]));
        all.len() == 1
    });
    assert_eq!(all, [(own, address, first[2..].to_vec())]);
    let answers = [vec![1; 90], vec![2; 90], vec![3; 40]];
    shards[1].send(
        Instant::now(),
        [run(own, &answers.concat(), 90)].into_iter(),
    );
    let mut back = vec![0; 90 + 90 + 40 + 6];
    stream.read_exact(&mut back).expect("answers");
    assert!(frames(&back).eq(answers.iter().map(Vec::as_slice)));
    // From now on anything goes, also what names another shard.
    let others = [frame(&[128; 1_200]), check("0abc"), frame(&[22; 2_048])];
    stream.write_all(&others.concat()).expect("sent");
    all.clear();
    until("three more", || {
        all.extend(come(&mut shards[1]));
        all.len() == 3
    });
    assert!(
        all.iter()
            .map(|(.., bytes)| bytes.len())
            .eq([1_200, others[1].len() - 2, 2_048])
    );
    assert_eq!(come(&mut shards[0]), []);
    // Too long a frame ends it, and the shard gets to know.
    stream.write_all(&[8, 1]).expect("sent");
    closed_after(&mut stream);
    until("gone", || front.numbers().open == 0);
    shards[1].tidy();
    assert_eq!(shards[1].open(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_begins_anew_closes_its_connections() {
    let (front, mut shards, address) = front();
    let mut streams = [connect(address), connect(address)];
    for (shard, stream) in streams.iter_mut().enumerate() {
        stream
            .write_all(&check(&format!("{shard}abc")))
            .expect("sent");
        until("a frame", || come(&mut shards[shard]).len() == 1);
        let own = stream.local_addr().expect("an address");
        shards[shard].send(Instant::now(), [run(own, &[1; 9], 9)].into_iter());
        stream.read_exact(&mut [0; 11]).expect("an answer");
    }
    shards[1].close_all();
    closed_after(&mut streams[1]);
    until("one left", || front.numbers().open == 1);
    streams[0].write_all(&frame(&[5; 50])).expect("sent");
    until("the other goes on", || come(&mut shards[0]).len() == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_one_too_many_is_sent_away_and_the_others_go_on() {
    let (front, mut shards, address) = front();
    let mut inside: Vec<TcpStream> = (0..256).map(|_| connect(address)).collect();
    until("all inside", || front.numbers().open == 256);
    closed_after(&mut connect(address));
    closed_after(&mut connect(address));
    let numbers = front.numbers();
    assert_eq!((numbers.open, numbers.refused), (256, 2));
    inside[7].write_all(&check("1abc")).expect("sent");
    until("a frame", || come(&mut shards[1]).len() == 1);
    inside.clear();
    until("all gone", || front.numbers().open == 0);
    connect(address).write_all(&check("1abc")).expect("sent");
    until("one more", || come(&mut shards[1]).len() == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_proves_nothing_keeps_nobody_out_and_shows_nobody_out_who_has() {
    let (front, mut shards, address) = front();
    let mut known = connect(address);
    known.write_all(&check("1abc")).expect("sent");
    until("a frame", || come(&mut shards[1]).len() == 1);
    let own = known.local_addr().expect("an address");
    shards[1].send(Instant::now(), [run(own, &[1; 9], 9)].into_iter());
    known.read_exact(&mut [0; 11]).expect("an answer");
    let mut stranger = connect(address);
    until("both inside", || front.numbers().open == 2);
    // Until each newcomer takes the place of one.
    let crowd = (0u16..).map_while(|address| {
        let ip = Ipv6Addr::new(0x2001, 0xdb8, 0, address / 200, 0, 0, 0, address);
        let room = front.numbers().open < 3_840;
        room.then(|| {
            front
                .admit((ip, 1_000).into(), (ip, 443).into())
                .expect("room")
        })
    });
    let crowd: Vec<_> = crowd.collect();
    let _newcomer = connect(address);
    closed_after(&mut stranger);
    shards[1].send(Instant::now(), [run(own, &[5; 9], 9)].into_iter());
    known.read_exact(&mut [0; 11]).expect("media");
    until("one for one", || front.numbers().open == crowd.len() + 2);
    assert_eq!(front.numbers().refused, 1);
}

/// From a port that is used for something else as well.
async fn connect_from(own: SocketAddr, to: SocketAddr) -> tokio::net::TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an option");
    socket.bind(own).expect("the port");
    socket.connect(to).await.expect("a connection")
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_behind_the_same_address_takes_a_connection_over_from_another_port_of_ours() {
    let (front, mut shards, [one, other]) = front_at();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let stream = connect_from(any, one).await;
    let own = stream.local_addr().expect("an address");
    let mut stream = blocking(stream);
    stream.write_all(&check("1abc")).expect("sent");
    until("a frame", || come(&mut shards[1]).len() == 1);
    shards[1].send(Instant::now(), [run(own, &[1; 9], 9)].into_iter());
    stream.read_exact(&mut [0; 11]).expect("an answer");
    let mut thief = blocking(connect_from(own, other).await);
    let _ = thief.write_all(&check("1stranger"));
    closed_after(&mut thief);
    assert_eq!(come(&mut shards[1]), []);
    shards[1].send(Instant::now(), [run(own, &[5; 9], 9)].into_iter());
    stream.read_exact(&mut [0; 11]).expect("media");
    assert_eq!((front.numbers().open, front.numbers().refused), (1, 1));
}

fn blocking(stream: tokio::net::TcpStream) -> TcpStream {
    let stream = stream.into_std().expect("a stream");
    stream.set_nonblocking(false).expect("an option");
    let patience = Some(PATIENCE);
    stream.set_read_timeout(patience).expect("a timeout");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_from_an_address_that_somebody_had_before_gets_nothing_of_theirs() {
    let (front, mut shards, address) = front();
    let mut stream = connect(address);
    let own = stream.local_addr().expect("an address");
    stream.write_all(&check("1abc")).expect("sent");
    until("a frame", || come(&mut shards[1]).len() == 1);
    shards[1].send(Instant::now(), [run(own, &[128; 50], 50)].into_iter());
    shards[1].send(Instant::now(), [run(own, &[1; 9], 9)].into_iter());
    shards[1].send(Instant::now(), [run(own, &[128; 20], 20)].into_iter());
    let mut came = [0; 33];
    stream.read_exact(&mut came).expect("an answer");
    assert!(frames(&came).eq([&[1; 9][..], &[128; 20]]));
    assert_eq!(front.numbers().open, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_small_frames_waits_with_its_sender() {
    let (_front, mut shards, address) = front();
    let mut stream = connect(address);
    let own = stream.local_addr().expect("an address");
    stream.write_all(&check("1abc")).expect("sent");
    until("a frame", || come(&mut shards[1]).len() == 1);
    shards[1].send(Instant::now(), [run(own, &[1; 9], 9)].into_iter());
    stream.read_exact(&mut [0; 11]).expect("an answer");
    let begun = Instant::now();
    let flood = frame(&[128]).repeat(20_000);
    let writer = std::thread::spawn(move || stream.write_all(&flood).map(|()| stream));
    let mut came = 0;
    until("all of it", || {
        came += come(&mut shards[1]).len();
        came == 20_000
    });
    assert!(begun.elapsed() > Duration::from_secs(2));
    writer.join().expect("a writer").expect("all sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_slow_reader_does_not_take_in_time_is_left_out_whole() {
    let (front, mut shards, address) = front();
    let mut stream = connect(address);
    stream.write_all(&check("1abc")).expect("sent");
    until("a frame", || come(&mut shards[1]).len() == 1);
    let own = stream.local_addr().expect("an address");
    shards[1].send(Instant::now(), [run(own, &[1; 9], 9)].into_iter());
    stream.read_exact(&mut [0; 11]).expect("an answer");
    let (mut sent, mut number) = (0, 0u32);
    // Far more than sockets and queue hold, over longer than anything is worth to wait.
    let begin = Instant::now();
    while front.numbers().dropped < 2_000 || begin.elapsed() < Duration::from_secs(2) {
        let datagrams: Vec<u8> = (0..50)
            .flat_map(|_| {
                number += 1;
                let mut datagram = vec![number as u8; 1_100];
                datagram[..4].copy_from_slice(&number.to_be_bytes());
                datagram
            })
            .collect();
        shards[1].send(Instant::now(), [run(own, &datagrams, 1_100)].into_iter());
        sent += 50;
        std::thread::sleep(Duration::from_millis(2));
    }
    let mut came = vec![];
    let mut next = 0;
    let mut buffer = vec![0; 100_000];
    let pause = Some(Duration::from_millis(700));
    stream.set_read_timeout(pause).expect("a timeout");
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        came.extend(&buffer[..read]);
    }
    let whole = whole_frames(&came).expect("frames");
    assert_eq!(whole, came.len(), "nothing was cut");
    let mut received = 0;
    for datagram in frames(&came) {
        assert_eq!(datagram.len(), 1_100);
        let number = u32::from_be_bytes(*datagram.first_chunk().expect("a number"));
        assert!(number > next && datagram[4..].iter().all(|byte| *byte == number as u8));
        next = number;
        received += 1;
    }
    assert_eq!(received + front.numbers().dropped, sent);
    // It lives on.
    shards[1].send(Instant::now(), [run(own, &[9; 40], 40)].into_iter());
    stream.read_exact(&mut buffer[..42]).expect("one more");
    assert_eq!(buffer[..42], frame(&[9; 40]));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_port_of_https_the_first_byte_says_what_a_connection_is_for() {
    let (media, mut shards, _) = front();
    let port = 443;
    let beside = BesideTls {
        media: media.clone(),
        port,
    };
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    for (begin, is_tls) in [
        (&[22, 3, 1][..], true),
        (b"GET /", true),
        (&check("1abc"), false),
    ] {
        let mut stream = connect(address);
        stream.write_all(begin).expect("sent");
        let (accepted, from) = listener.accept().await.expect("a connection");
        let passed = beside.accept(accepted, "the web server").await;
        assert_eq!(passed.is_ok(), is_tls);
        if let Ok((stream, _)) = passed {
            // Nothing of it is taken off.
            let mut first = [0; 3];
            assert_eq!(stream.peek(&mut first).await.expect("bytes"), 3);
            assert_eq!(first, begin[..3]);
            continue;
        }
        let mut all = vec![];
        until("a frame", || {
            all.extend(come(&mut shards[1]));
            all.len() == 1
        });
        // As clients were told, whatever the port is here.
        assert_eq!(all[0].1, SocketAddr::new(address.ip(), port));
        assert_eq!(all[0].0, from);
        assert_eq!(media.numbers().open, 1);
    }
}
