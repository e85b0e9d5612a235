//! Signing in at outside providers: everything that can be wrong about an answer, and what a good one brings.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::fake_provider::{CLIENT, FakeProvider, SECRET, Signed, asked};
use crate::support::{Answer, House, Person, answer};

/// A house with this provider, and not yet started.
fn house_of(provider: &FakeProvider, more: &[(&str, &str)]) -> House {
    let house = with(House::new(), provider);
    more.iter().fold(house, |mut house, (key, value)| {
        house.set(key, value);
        house
    })
}

fn with(mut house: House, provider: &FakeProvider) -> House {
    house.set("OIDC__ISSUER", &provider.issuer);
    house.set("OIDC__CLIENT_ID", CLIENT);
    house.set("OIDC__CLIENT_SECRET", SECRET);
    house
}

/// Sent on their way to the provider: the address they are sent to.
async fn start(person: &Person, query: &str) -> String {
    let answer = person
        .get(&format!("/sso/start?provider=localhost{query}"))
        .await;
    assert_eq!(answer.status, 303, "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.header("location").to_owned()
}

async fn come_back(person: &Person, query: &str) -> Answer {
    let answer = person.get(&format!("/sso/callback?{query}")).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    answer
}

/// A whole sign-in with these claims beside the necessary ones. Where it led.
async fn sign_in(provider: &FakeProvider, person: &Person, subject: &str, more: Value) -> String {
    let location = start(person, "&to=/r/x").await;
    let mut claims = provider.claims(&location, subject);
    merge(&mut claims, more);
    let code = provider.give_code(&location, &claims, Signed::Well);
    let state = &asked(&location)["state"];
    let answer = come_back(person, &format!("code={code}&state={state}")).await;
    answer.header("location").to_owned()
}

fn merge(claims: &mut Value, more: Value) {
    for (name, value) in more.as_object().expect("an object") {
        match value {
            Value::Null => drop(claims.as_object_mut().expect("an object").remove(name)),
            value => claims[name] = value.clone(),
        }
    }
}

/// Asks again and again, not faster than people would.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

const FAILED: &str = "/sign-in?problem=failed&to=%2Fr%2Fx";

#[tokio::test]
async fn somebody_signs_in_and_is_who_the_provider_says() {
    for house in [House::new(), House::on_postgres()] {
        let provider = FakeProvider::start().await;
        let (house, anna) = with(house, &provider).with_anna().await;
        let listed = json!([{"id": "localhost", "name": "localhost"}]);
        assert_eq!(anna.me().await["providers"], listed);

        let bela = house.person();
        let told = json!({
            "preferred_username": "bela@example.org",
            "name": "Béla  Bartók",
            "email": "Bela@example.org",
            "groups": ["Chor", "/haus/keller"],
        });
        assert_eq!(sign_in(&provider, &bela, "bela-1", told).await, "/r/x");
        let me = bela.me().await["user"].clone();
        assert_eq!(
            (&me["username"], &me["name"], &me["admin"]),
            (&json!("bela"), &json!("Béla Bartók"), &json!(false))
        );
        let own = bela.get("/api/v1/account").await.json();
        assert_eq!(
            (&own["providers"], &own["source"], &own["groups"]),
            (
                &json!(["localhost"]),
                &json!("provider"),
                &json!(["Chor", "haus/keller"])
            )
        );
        assert_eq!(own.get("password_changed_ms"), None);
        // The next time the name has changed, and userinfo is asked.
        let again = house.person();
        let info = json!({"sub": "bela-1", "name": "Béla B.", "preferred_username": "other"});
        provider.tell_userinfo("bela-1", info);
        assert_eq!(
            sign_in(&provider, &again, "bela-1", json!({})).await,
            "/r/x"
        );
        let now = again.me().await["user"].clone();
        assert_eq!(
            (&now["id"], &now["username"], &now["name"]),
            (&me["id"], &json!("bela"), &json!("Béla B."))
        );
    }
}

#[tokio::test]
async fn an_answer_with_anything_wrong_signs_nobody_in() {
    let provider = FakeProvider::start().await;
    let (house, _anna) = house_of(&provider, &[]).with_anna().await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = now.expect("after 1970").as_secs();
    for (what, more, signed, good) in [
        ("as it should be", json!({}), Signed::Well, true),
        (
            "another issuer",
            json!({"iss": "https://evil.example"}),
            Signed::Well,
            false,
        ),
        (
            "another audience",
            json!({"aud": "other"}),
            Signed::Well,
            false,
        ),
        (
            "an audience beside us",
            json!({"aud": [CLIENT, "other"]}),
            Signed::Well,
            false,
        ),
        (
            "for another party",
            json!({"azp": "other"}),
            Signed::Well,
            false,
        ),
        (
            "another nonce",
            json!({"nonce": "other"}),
            Signed::Well,
            false,
        ),
        ("no nonce", json!({"nonce": null}), Signed::Well, false),
        (
            "expired",
            json!({"exp": seconds - 120}),
            Signed::Well,
            false,
        ),
        (
            "expired within the leeway",
            json!({"exp": seconds - 20}),
            Signed::Well,
            true,
        ),
        ("no end", json!({"exp": null}), Signed::Well, false),
        (
            "from the future",
            json!({"iat": seconds + 600}),
            Signed::Well,
            false,
        ),
        (
            "another access token",
            json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
            Signed::Well,
            false,
        ),
        ("nobody", json!({"sub": ""}), Signed::Well, false),
        ("alg none", json!({}), Signed::None, false),
        (
            "HS256 with the public key",
            json!({}),
            Signed::WithPublicKey,
            false,
        ),
        (
            "HS256 with the secret",
            json!({}),
            Signed::WithSecret,
            false,
        ),
        ("an unknown key", json!({}), Signed::UnknownKey, false),
        (
            "another key of that name",
            json!({}),
            Signed::OtherKey,
            false,
        ),
    ] {
        let person = house.person();
        let location = start(&person, "&to=/r/x").await;
        let mut claims = provider.claims(&location, "somebody");
        merge(&mut claims, more);
        let code = provider.give_code(&location, &claims, signed);
        let state = &asked(&location)["state"];
        let answer = come_back(&person, &format!("code={code}&state={state}")).await;
        let expect = if good { "/r/x" } else { FAILED };
        assert_eq!(answer.header("location"), expect, "{what}");
        assert_eq!(person.me().await.get("user").is_some(), good, "{what}");
    }
}

#[tokio::test]
async fn only_the_browser_that_began_a_sign_in_ends_it_and_only_once() {
    let provider = FakeProvider::start().await;
    provider.name_itself();
    let (house, _anna) = house_of(&provider, &[]).with_anna().await;
    let nowhere = "/sign-in?problem=failed";
    let issuer = &provider.issuer;

    // Somebody else's answer: the browser it is brought to has not asked.
    let mallory = house.person();
    let location = start(&mallory, "&to=/r/x").await;
    let code = provider.give_code(
        &location,
        &provider.claims(&location, "mallory"),
        Signed::Well,
    );
    let state = asked(&location)["state"].clone();
    let good = format!("code={code}&state={state}&iss={issuer}");
    let victim = house.person();
    for (what, query) in [
        ("without having asked", good.clone()),
        ("without a state", format!("code={code}&iss={issuer}")),
        (
            "with another state",
            format!("code={code}&state=x&iss={issuer}"),
        ),
    ] {
        assert_eq!(
            come_back(&victim, &query).await.header("location"),
            nowhere,
            "{what}"
        );
    }
    // Having asked as well changes nothing: that was another question.
    start(&victim, "&to=/r/x").await;
    assert_eq!(come_back(&victim, &good).await.header("location"), nowhere);
    assert!(victim.me().await.get("user").is_none());
    // Who began it ends it, once.
    assert_eq!(come_back(&mallory, &good).await.header("location"), "/r/x");
    assert!(mallory.me().await.get("user").is_some());
    assert_eq!(
        come_back(&mallory, &good).await.header("location"),
        nowhere,
        "again"
    );

    for (what, answer) in [
        (
            "another issuer",
            "code=CODE&state=STATE&iss=https://evil.example",
        ),
        ("no issuer, though promised", "code=CODE&state=STATE"),
        ("two codes", "code=CODE&code=x&state=STATE&iss=ISSUER"),
        ("a code of nobody", "code=x&state=STATE&iss=ISSUER"),
        ("nothing", "state=STATE&iss=ISSUER"),
    ] {
        let person = house.person();
        let location = start(&person, "&to=/r/x").await;
        let code = provider.give_code(&location, &provider.claims(&location, "a"), Signed::Well);
        let query = answer
            .replace("CODE", &code)
            .replace("STATE", &asked(&location)["state"])
            .replace("ISSUER", issuer);
        assert_eq!(
            come_back(&person, &query).await.header("location"),
            FAILED,
            "{what}"
        );
    }
}

#[tokio::test]
async fn an_answer_of_one_provider_is_not_taken_for_anothers() {
    let (honest, evil) = (FakeProvider::start().await, FakeProvider::start().await);
    let house = House::new();
    let section = |provider: &FakeProvider, name: &str| {
        format!(
            "[[oidc]]\nname = \"{name}\"\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\nclient_secret = \"{SECRET}\"\n",
            provider.issuer
        )
    };
    let settings = section(&honest, "Honest") + &section(&evil, "Evil");
    std::fs::write(house.directory.0.join("stube.toml"), settings).expect("settings");
    let (house, anna) = house.with_anna().await;
    let listed = anna.me().await["providers"].clone();
    assert_eq!(listed[1]["name"], "Evil");
    let ids = [0, 1].map(|place| listed[place]["id"].as_str().expect("an id").to_owned());
    assert_ne!(ids[0], ids[1]);
    let start = async |person: &Person, id: &str| {
        let answer = person
            .get(&format!("/sso/start?provider={id}&to=/r/x"))
            .await;
        answer.header("location").to_owned()
    };

    for (what, began_at, signs, tells, good) in [
        ("its own", &evil, &evil, &evil.issuer, true),
        ("the other one's token", &evil, &honest, &evil.issuer, false),
        (
            "its own token about the other one's people",
            &evil,
            &evil,
            &honest.issuer,
            false,
        ),
    ] {
        let person = house.person();
        let id = &ids[usize::from(began_at.issuer == evil.issuer)];
        let location = start(&person, id).await;
        assert!(location.starts_with(&began_at.issuer), "{what}");
        let mut claims = signs.claims(&location, "x");
        claims["iss"] = json!(tells);
        let code = began_at.give_code(&location, &claims, Signed::Well);
        // Mix-up: the code was given for one and is brought as if by the other.
        let state = &asked(&location)["state"];
        let answer = come_back(
            &person,
            &format!("code={code}&state={state}&iss={}", signs.issuer),
        )
        .await;
        let expect = if good { "/r/x" } else { FAILED };
        assert_eq!(answer.header("location"), expect, "{what}");
    }
    let nobody = house
        .person()
        .get("/sso/start?provider=nobody&to=/r/x")
        .await;
    assert_eq!(nobody.header("location"), FAILED);
}

#[tokio::test]
async fn a_sign_in_leads_back_into_the_house_only() {
    let provider = FakeProvider::start().await;
    let (house, _anna) = house_of(&provider, &[]).with_anna().await;
    for (to, expect) in [
        ("/r/K%25C3%25BCche", "/r/K%C3%BCche"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/%5Cevil.example", "/"),
        ("/sso/start?provider=localhost", "/"),
    ] {
        let person = house.person();
        let location = start(&person, &format!("&to={to}")).await;
        let claims = provider.claims(&location, "somebody");
        let code = provider.give_code(&location, &claims, Signed::Well);
        let state = &asked(&location)["state"];
        let answer = come_back(&person, &format!("code={code}&state={state}")).await;
        assert_eq!(answer.header("location"), expect, "{to}");
    }
}

#[tokio::test]
async fn what_the_provider_answers_instead_of_a_code_is_said_on_the_sign_in() {
    let provider = FakeProvider::start().await;
    let (house, _anna) = house_of(&provider, &[]).with_anna().await;
    for (start_query, error, expect) in [
        (
            "&to=/r/x",
            "access_denied",
            "/sign-in?problem=denied&to=%2Fr%2Fx",
        ),
        (
            "&to=/r/x",
            "temporarily_unavailable",
            "/sign-in?problem=unavailable&to=%2Fr%2Fx",
        ),
        ("&to=/r/x", "invalid_scope", FAILED),
        ("", "access_denied", "/sign-in?problem=denied"),
        // Asked silently, one is simply not signed in.
        ("&to=/r/x&silent=1", "login_required", "/r/x"),
        ("&to=/r/x&silent=1", "access_denied", "/r/x"),
    ] {
        let person = house.person();
        let location = start(&person, start_query).await;
        let query = asked(&location);
        let prompt = query.get("prompt").map(String::as_str);
        assert_eq!(prompt, start_query.contains("silent").then_some("none"));
        let answer = come_back(&person, &format!("error={error}&state={}", query["state"])).await;
        assert_eq!(answer.header("location"), expect, "{error}");
        assert!(person.me().await.get("user").is_none());
    }
    let again = start(&house.person(), "&again=1").await;
    assert_eq!(asked(&again)["prompt"], "login");
}

#[tokio::test]
async fn a_provider_that_is_down_stops_nothing_and_is_found_when_it_is_up() {
    let provider = FakeProvider::start().await;
    provider.go_down(true);
    let (house, anna) = house_of(&provider, &[]).with_anna().await;
    assert_eq!(
        anna.me().await["providers"].as_array().map(Vec::len),
        Some(1)
    );
    let bela = house.person();
    let down = "/sign-in?problem=unavailable&to=%2Fr%2Fx";
    let pressed = async || start(&bela, "&to=/r/x").await;
    assert_eq!(pressed().await, down);
    assert_eq!(start(&bela, "&to=/r/x&silent=1").await, "/r/x");
    provider.go_down(false);
    // Whoever tries again gets there as soon as the server has taken breath.
    until("the provider is found", async || pressed().await != down).await;
    let told = json!({"preferred_username": "bela"});
    assert_eq!(sign_in(&provider, &bela, "bela", told).await, "/r/x");

    for (status, expect) in [(503, down), (500, down), (400, FAILED), (302, down)] {
        provider.answer_tokens_with(Some(status));
        let led = sign_in(&provider, &house.person(), "bela", json!({})).await;
        assert_eq!(led, expect, "{status}");
    }
}

#[tokio::test]
async fn new_keys_are_asked_for_when_they_are_needed_and_not_for_every_nonsense() {
    let provider = FakeProvider::start().await;
    let (house, _anna) = house_of(&provider, &[]).with_anna().await;
    let good = async || sign_in(&provider, &house.person(), "a", json!({})).await;
    assert_eq!(good().await, "/r/x");
    assert_eq!(good().await, "/r/x");
    assert_eq!(provider.keys_asked(), 1, "kept");
    for _ in 0..3 {
        let person = house.person();
        let location = start(&person, "&to=/r/x").await;
        let claims = provider.claims(&location, "a");
        let code = provider.give_code(&location, &claims, Signed::UnknownKey);
        let state = &asked(&location)["state"];
        let answer = come_back(&person, &format!("code={code}&state={state}")).await;
        assert_eq!(answer.header("location"), FAILED);
    }
    assert_eq!(provider.keys_asked(), 1, "a moment ago it had no other");
}

#[tokio::test]
async fn mail_and_usernames_open_no_account_of_the_house() {
    let provider = FakeProvider::start().await;
    let (house, anna) = house_of(&provider, &[]).with_anna().await;
    let told = json!({
        "preferred_username": "ANNA",
        "email": "anna@example.org",
        "email_verified": true,
        "name": "Mallory",
    });
    let mallory = house.person();
    assert_eq!(
        sign_in(&provider, &mallory, "mallory", told.clone()).await,
        "/r/x"
    );
    let me = mallory.me().await["user"].clone();
    assert_eq!(me["username"], "ANNA-2");
    assert_ne!(me["id"], anna.me().await["user"]["id"]);
    let third = house.person();
    assert_eq!(sign_in(&provider, &third, "third", told).await, "/r/x");
    assert_eq!(third.me().await["user"]["username"], "ANNA-3");
    // Without a password there is no signing in with one.
    let guess = house.person().sign_in("ANNA-2", "").await;
    guess.is(401, "wrong_credentials");
}

#[tokio::test]
async fn who_is_locked_stays_out_whatever_the_provider_says() {
    let provider = FakeProvider::start().await;
    let (house, _anna) = house_of(&provider, &[]).with_anna().await;
    let told = json!({"preferred_username": "bela"});
    let bela = house.person();
    assert_eq!(
        sign_in(&provider, &bela, "bela", told.clone()).await,
        "/r/x"
    );
    for (word, led) in [
        ("lock", "/sign-in?problem=denied&to=%2Fr%2Fx"),
        ("unlock", "/r/x"),
    ] {
        assert!(house.run(&["user", word, "bela"]).status.success());
        assert!(bela.me().await.get("user").is_none(), "{word}");
        let again = house.person();
        assert_eq!(sign_in(&provider, &again, "bela", told.clone()).await, led);
    }
}

#[tokio::test]
async fn userinfo_of_somebody_else_ends_the_sign_in() {
    let provider = FakeProvider::start().await;
    let (house, _anna) = house_of(&provider, &[]).with_anna().await;
    for (sub, expect) in [
        (json!("bela"), "/r/x"),
        (json!("anna"), FAILED),
        (Value::Null, FAILED),
    ] {
        provider.tell_userinfo("bela", json!({"sub": sub, "name": "Anna"}));
        let led = sign_in(&provider, &house.person(), "bela", json!({})).await;
        assert_eq!(led, expect, "{sub}");
    }
}

#[tokio::test]
async fn the_providers_group_makes_administrators_from_the_first_one_on() {
    let provider = FakeProvider::start().await;
    let mut house = house_of(&provider, &[("OIDC__ADMIN_GROUP", "Vorstand")]);
    house.start();
    let admin = async |groups: Value, subject: &str| {
        let person = house.person();
        let told = json!({"groups": groups, "preferred_username": subject});
        let led = sign_in(&provider, &person, subject, told).await;
        (led, person.me().await["user"]["admin"].clone())
    };
    let me = house.person().me().await;
    assert_eq!(
        me["setup_needed"], false,
        "an administrator can come from the provider"
    );
    let (led, _) = admin(json!(["Chor"]), "bela").await;
    assert_eq!(
        led, "/sign-in?problem=denied&to=%2Fr%2Fx",
        "not as the first one"
    );
    assert_eq!(admin(json!(["vorstand"]), "anna").await.1, true);
    assert_eq!(admin(json!(["Chor"]), "bela").await.1, false);
    assert_eq!(admin(json!(["Vorstand"]), "bela").await.1, true);
    assert_eq!(admin(json!([]), "bela").await.1, false, "and no longer");
    assert_eq!(
        admin(json!([]), "anna").await.1,
        true,
        "but there is always one"
    );
}

#[tokio::test]
async fn the_picture_comes_along_from_the_provider_only() {
    let provider = FakeProvider::start().await;
    provider.set_picture(png());
    let (house, anna) = house_of(&provider, &[]).with_anna().await;
    let within = format!("data:image/png;base64,{}", base64(&png()));
    let (issuer, other) = (&provider.issuer, FakeProvider::start().await);
    other.set_picture(png());
    let picture_of = async |subject: &str, picture: &str| {
        let person = house.person();
        let told = json!({"picture": picture, "preferred_username": subject, "name": "X", "email": "", "groups": []});
        assert_eq!(sign_in(&provider, &person, subject, told).await, "/r/x");
        person
    };
    let bela = picture_of("bela", &within).await;
    let me = bela.me().await["user"].clone();
    let version = me["picture"].as_str().expect("a picture").to_owned();
    let path = format!(
        "/api/v1/people/{}/picture",
        me["id"].as_str().expect("an id")
    );
    let first = anna.get(&format!("{path}?v={version}")).await;
    assert_eq!(
        (first.status.as_u16(), first.header("content-type")),
        (200, "image/jpeg")
    );
    assert_eq!(
        first.header("cache-control"),
        "private, max-age=31536000, immutable"
    );
    assert_eq!(
        anna.get(&path).await.header("cache-control"),
        "private, no-cache"
    );
    let known = anna
        .request(Method::GET, &path)
        .header("if-none-match", first.header("etag"));
    assert_eq!(answer(known).await.status, 304);
    house.person().get(&path).await.is(401, "sign_in_required");
    let gone = picture_of("bela", "").await;
    assert_eq!(gone.me().await["user"].get("picture"), None);

    let clara = picture_of("clara", &format!("{issuer}/picture")).await;
    let has_picture = async |person: &Person| person.me().await["user"].get("picture").is_some();
    until("the picture comes", async || has_picture(&clara).await).await;
    assert_eq!(clara.me().await["user"]["picture"], json!(version));
    let asked = provider.pictures_asked();
    let elsewhere = format!("{issuer}/elsewhere");
    for address in [
        &format!("{}/picture", other.issuer),
        &elsewhere,
        "file:///etc/hostname",
    ] {
        let person = picture_of("dora", address).await;
        assert_eq!(person.me().await["user"].get("picture"), None, "{address}");
    }
    // Whoever comes after the redirect's answer would have been fetched by now.
    let erik = picture_of("erik", &format!("{issuer}/picture")).await;
    until("the picture comes", async || has_picture(&erik).await).await;
    assert_eq!(
        (provider.pictures_asked(), other.pictures_asked()),
        (asked + 1, 0)
    );
}

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_pixel(8, 8, image::Rgb([200, 10, 10]));
    image
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("a picture");
    bytes.into_inner()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

async fn told_to_log_out(house: &House, token: &str) -> Answer {
    let request = house
        .person()
        .request(Method::POST, "/sso/backchannel-logout");
    let body = format!("logout_token={token}");
    answer(
        request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body),
    )
    .await
}

#[tokio::test]
async fn the_provider_ends_sessions_with_their_sockets() {
    for house in [House::new(), House::on_postgres()] {
        let provider = FakeProvider::start().await;
        let (house, anna) = with(house, &provider).with_anna().await;
        let enter = async |subject: &str, session: Value| {
            let person = house.person();
            assert_eq!(
                sign_in(&provider, &person, subject, json!({"sid": session})).await,
                "/r/x"
            );
            person
        };
        let is_in = async |person: &Person| person.me().await.get("user").is_some();
        let one = enter("bela", json!("one")).await;
        let two = enter("bela", json!("two")).await;
        let clara = enter("clara", Value::Null).await;
        let mut socket = one.socket().await;

        let token = provider.logout_token(json!({"sub": "bela", "sid": "one"}));
        let done = told_to_log_out(&house, &token).await;
        assert_eq!(
            (done.status.as_u16(), done.header("cache-control")),
            (200, "no-store")
        );
        socket.until_closed().await;
        assert!(!is_in(&one).await && is_in(&two).await && is_in(&clara).await);
        let again = told_to_log_out(&house, &token).await;
        assert_eq!(again.status, 400, "once");

        let all = provider.logout_token(json!({"sub": "bela"}));
        assert_eq!(told_to_log_out(&house, &all).await.status, 200);
        assert!(!is_in(&two).await && is_in(&clara).await && is_in(&anna).await);
        // Of a session without a name, the person has to do.
        let named = provider.logout_token(json!({"sub": "clara", "sid": "three"}));
        assert_eq!(told_to_log_out(&house, &named).await.status, 200);
        assert!(!is_in(&clara).await && is_in(&anna).await);
    }
}

#[tokio::test]
async fn a_logout_token_with_anything_wrong_ends_nothing() {
    let provider = FakeProvider::start().await;
    let other = FakeProvider::start().await;
    let (house, _anna) = house_of(&provider, &[]).with_anna().await;
    let bela = house.person();
    assert_eq!(
        sign_in(&provider, &bela, "bela", json!({"sid": "s"})).await,
        "/r/x"
    );
    for (what, changes) in [
        ("another audience", json!({"sub": "bela", "aud": "other"})),
        ("expired", json!({"sub": "bela", "exp": 1_000})),
        ("a nonce", json!({"sub": "bela", "nonce": "n"})),
        ("no event", json!({"sub": "bela", "events": {}})),
        ("no id", json!({"sub": "bela", "jti": ""})),
        ("nobody", json!({})),
        (
            "a stranger's issuer",
            json!({"sub": "bela", "iss": "https://evil.example"}),
        ),
    ] {
        let refused = told_to_log_out(&house, &provider.logout_token(changes)).await;
        assert_eq!(refused.status, 400, "{what}");
        assert_eq!(refused.header("cache-control"), "no-store");
        assert_eq!(refused.json()["error"], "invalid_request");
    }
    let strangers = other.logout_token(json!({"sub": "bela"}));
    assert_eq!(
        told_to_log_out(&house, &strangers).await.status,
        400,
        "a stranger"
    );
    assert_eq!(told_to_log_out(&house, "").await.status, 400, "nothing");
    let json = house
        .person()
        .post("/sso/backchannel-logout", json!({}))
        .await;
    assert_eq!(json.status, 400, "no form");
    assert!(bela.me().await.get("user").is_some());
    let good = provider.logout_token(json!({"sub": "bela", "sid": "s"}));
    assert_eq!(told_to_log_out(&house, &good).await.status, 200);
    assert!(bela.me().await.get("user").is_none());
}

#[tokio::test]
async fn who_leaves_is_sent_to_leave_the_provider_too() {
    let provider = FakeProvider::start().await;
    let (house, anna) = house_of(&provider, &[]).with_anna().await;
    let bela = house.person();
    assert_eq!(sign_in(&provider, &bela, "bela", json!({})).await, "/r/x");
    let left = answer(bela.request(Method::DELETE, "/api/v1/session")).await;
    let go_to = left.json()["go_to"]
        .as_str()
        .expect("an address")
        .to_owned();
    assert!(
        go_to.starts_with(&format!("{}/end?", provider.issuer)),
        "{go_to}"
    );
    let query = asked(&go_to);
    assert_eq!(query["client_id"], CLIENT);
    assert_eq!(
        query["post_logout_redirect_uri"],
        format!("{}/sign-in", house.base)
    );
    let hint = jsonwebtoken::dangerous::insecure_decode_claims::<Value>(&query["id_token_hint"]);
    assert_eq!(hint.expect("the ID token")["sub"], "bela");
    assert!(bela.me().await.get("user").is_none());
    let here = answer(anna.request(Method::DELETE, "/api/v1/session")).await;
    assert_eq!(here.json(), json!({}), "who came in here leaves here");

    let plain = FakeProvider::start().await;
    plain.do_without_logout();
    let (house, _anna) = house_of(&plain, &[]).with_anna().await;
    let bela = house.person();
    assert_eq!(sign_in(&plain, &bela, "bela", json!({})).await, "/r/x");
    let left = answer(bela.request(Method::DELETE, "/api/v1/session")).await;
    assert_eq!(left.json(), json!({}));
}
