//! What goes wrong while people talk: a restart in the middle, two who hang up at once, an answer that nobody follows.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::calls::{Scene, about, end, enter_call, history, line};
use crate::client::{Socket, people};
use crate::support::Person;

#[tokio::test]
async fn a_call_goes_on_after_a_restart_and_ends_as_any_other() {
    let mut scene = Scene::new().await;
    let call = scene.ring().await;
    enter_call(&mut scene.caller, &call, "d").await;
    about(&mut scene.phone, "accept_call", &call)
        .await
        .expect("accepted");
    enter_call(&mut scene.phone, &call, "p").await;
    assert!(scene.house.stop().success());
    scene.house.start();
    let elsewhere = |person: &Person| person.at(&scene.house.base);
    let (anna, bert) = (elsewhere(&scene.anna), elsewhere(&scene.bert));
    assert_eq!(
        history(&anna).await,
        [line("outgoing", None, true)],
        "nobody knows how long it was meant to last"
    );
    let mut caller = Socket::device(&anna, &scene.house.base, "annas").await;
    caller.wait_for("home_snapshot").await;
    let mut phone = Socket::device(&bert, &scene.house.base, "phone").await;
    phone.wait_for("home_snapshot").await;
    enter_call(&mut caller, &call, "d").await;
    let view = enter_call(&mut phone, &call, "p").await;
    assert_eq!(people(&view), ["Anna Ö.", "bert"]);
    phone
        .intend(json!({"type": "leave_room"}))
        .await
        .expect("left");
    let left = caller.wait_for("room_left").await;
    assert_eq!(left["reason"], "call_ended");
    let back = json!({"type": "join_call", "room": call["room"], "device": "d"});
    assert_eq!(caller.intend(back).await, Err("not_found".to_owned()));
}

#[tokio::test]
async fn two_who_hang_up_at_once_both_leave_and_nothing_is_left_of_the_call() {
    let mut scene = Scene::new().await;
    let call = scene.ring().await;
    enter_call(&mut scene.caller, &call, "d").await;
    about(&mut scene.phone, "accept_call", &call)
        .await
        .expect("accepted");
    enter_call(&mut scene.phone, &call, "p").await;
    let leave = json!({"type": "leave_room", "id": "leave"});
    scene.caller.send(leave.clone()).await;
    scene.phone.send(leave).await;
    // Whoever was second may have been told of the end first: then there is nothing to leave.
    for socket in [&mut scene.caller, &mut scene.phone] {
        let answer = socket.wait(|message| message["id"] == "leave").await;
        let refused = answer["code"] == "not_in_room";
        assert!(answer["type"] == "ok" || refused, "{answer}");
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    while history(&scene.bert).await != [line("incoming", None, true)] {
        assert!(Instant::now() < deadline, "the call is over");
    }
    assert_eq!(history(&scene.anna).await, [line("outgoing", None, true)]);
    for socket in [&mut scene.caller, &mut scene.phone] {
        let back = json!({"type": "join_call", "room": call["room"], "device": "x"});
        // The history is written a moment before the room is gone: whoever slips in is shown out.
        if socket.intend(back.clone()).await.is_ok() {
            let left = socket.wait_for("room_left").await;
            assert_eq!(left["reason"], "call_ended");
        }
        assert_eq!(socket.intend(back).await, Err("not_found".to_owned()));
    }
}

#[tokio::test]
async fn an_answer_crosses_with_the_end_of_the_ringing_and_only_one_of_them_counts() {
    let mut scene = Scene::new().await;
    let call = scene.ring().await;
    enter_call(&mut scene.caller, &call, "d").await;
    scene
        .caller
        .send(json!({"type": "cancel_call", "id": "cancel", "call": call["id"]}))
        .await;
    let accepted = about(&mut scene.phone, "accept_call", &call).await;
    let answer = scene.caller.wait(|message| message["id"] == "cancel").await;
    let cancelled = answer["type"] == "ok";
    assert_ne!(accepted.is_ok(), cancelled, "{accepted:?} {answer}");
    let told = match cancelled {
        true => "cancelled",
        false => "answered",
    };
    assert_eq!(end(&mut scene.phone).await, told);
    assert_eq!(end(&mut scene.caller).await, told);
}
