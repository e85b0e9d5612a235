//! The examples of docs/protocol.md are the golden messages, all of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

#[test]
fn the_document_shows_every_message_as_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("docs/protocol.md")).expect("the document");
    let shown: BTreeSet<String> = examples(&text).iter().map(Value::to_string).collect();
    let golden: BTreeSet<String> = fs::read_dir(root.join("crates/protocol/golden"))
        .expect("the golden files")
        .map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("readable"))
        .map(|text| {
            serde_json::from_str::<Value>(&text)
                .expect("JSON")
                .to_string()
        })
        .collect();
    assert_eq!(shown, golden);
}

fn examples(text: &str) -> Vec<Value> {
    let blocks = text
        .split("```json")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default());
    blocks
        .map(|block| {
            serde_json::from_str(block).unwrap_or_else(|error| panic!("{error} in {block}"))
        })
        .collect()
}
