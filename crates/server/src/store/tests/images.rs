//! Pictures and the logo.

use protocol::UserId;

use super::{account, on_both};
use crate::images::Image;
use crate::store::{images, users};

fn image(seed: u8) -> Image {
    Image {
        bytes: vec![seed; 70_000],
        version: format!("version-{seed}"),
    }
}

#[tokio::test]
async fn a_picture_and_its_version_come_and_go_together() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let stored = async || {
            let version = users::by_id(db, &anna).await.expect("an answer");
            let bytes = images::get(db, anna.as_str()).await.expect("an answer");
            (version.expect("anna").picture, bytes)
        };
        assert_eq!(stored().await, (None, None));
        for seed in [1, 2] {
            let image = image(seed);
            images::set_picture(db, &anna, Some(&image))
                .await
                .expect("stored");
            assert_eq!(stored().await, (Some(image.version), Some(image.bytes)));
        }
        images::set_picture(db, &anna, None).await.expect("removed");
        assert_eq!(stored().await, (None, None));
    })
    .await;
}

#[tokio::test]
async fn nothing_is_kept_of_a_picture_of_somebody_who_is_gone() {
    on_both(async |db| {
        let gone = UserId::from("gone");
        images::set_picture(db, &gone, Some(&image(1)))
            .await
            .expect("no error");
        assert_eq!(images::get(db, "gone").await.expect("an answer"), None);
    })
    .await;
}

#[tokio::test]
async fn the_logo_is_replaced_and_taken_away() {
    on_both(async |db| {
        for seed in [1, 2] {
            images::set_logo(db, Some(&image(seed)))
                .await
                .expect("stored");
            let bytes = images::get(db, images::LOGO).await.expect("an answer");
            assert_eq!(bytes, Some(image(seed).bytes));
        }
        images::set_logo(db, None).await.expect("removed");
        assert_eq!(
            images::get(db, images::LOGO).await.expect("an answer"),
            None
        );
    })
    .await;
}
