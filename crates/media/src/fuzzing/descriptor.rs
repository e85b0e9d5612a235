//! The target `descriptor`: dependency descriptors of one stream, each read with the structure that is known by then, against
//! what their types promise, and against what the core makes of them.

use super::input::Bytes;
use crate::api::VideoCodec;
use crate::codec::Content;
use crate::dependency_descriptor::{Descriptor, Frame, Structure};
use crate::described::write_number;

const MOST_TEMPLATES: usize = 64;
const MOST_TARGETS: usize = 32;

pub fn descriptor(input: &[u8]) {
    let mut bytes = Bytes::new(input);
    let mut known: Option<Structure> = None;
    while let Some(extension) = bytes.sized() {
        let Some(read) = Descriptor::parse(extension, known.as_ref()) else {
            continue;
        };
        let again = Descriptor::parse(extension, known.as_ref());
        assert_eq!(again.as_ref(), Some(&read), "reading keeps nothing");
        if let Some(structure) = &read.structure {
            check_structure(structure);
            known = read.structure.clone();
        }
        let valid = known.as_ref().expect("nothing is read without a structure");
        let targets = valid.targets.len();
        assert!(
            read.active
                .is_none_or(|active| active >> (targets - 1) <= 1)
        );
        check_frame(&read.frame, valid, 4_096);
        let told = Content::described(VideoCodec::Av1, &read, valid);
        let spatial = told.spatial.expect("a size");
        assert!(spatial.id < 4 && spatial.serves < 16 && told.begins < 16);
        assert!(told.begins == 0 || told.starts_keyframe);
        let mut rewritten = extension.to_vec();
        write_number(&mut rewritten, !read.frame_number);
        let expected = Descriptor {
            frame_number: !read.frame_number,
            ..read.clone()
        };
        let again = Descriptor::parse(&rewritten, Some(valid));
        assert_eq!(again, Some(expected), "nothing but the number");
        let _ = valid.size_of(&read.frame);
    }
}

fn check_structure(structure: &Structure) {
    assert!(structure.offset < 64);
    assert!((1..=MOST_TEMPLATES).contains(&structure.templates.len()));
    assert!((1..=MOST_TARGETS).contains(&structure.targets.len()));
    assert!(usize::from(structure.chains) <= structure.targets.len());
    for template in &structure.templates {
        check_frame(template, structure, 16);
    }
    for target in &structure.targets {
        assert_eq!(target.chain.is_some(), structure.chains > 0);
        assert!(target.chain.is_none_or(|chain| chain < structure.chains));
    }
    let layers = structure.templates.iter().map(|template| template.spatial);
    let layers = usize::from(layers.max().unwrap_or_default()) + 1;
    assert!([0, layers].contains(&structure.sizes.len()));
}

fn check_frame(frame: &Frame, structure: &Structure, farthest: u16) {
    assert!(frame.spatial <= 3 && frame.temporal <= 7);
    assert_eq!(frame.indications.len(), structure.targets.len());
    assert_eq!(frame.chains.len(), usize::from(structure.chains));
    assert!(frame.needs.iter().all(|back| (1..=farthest).contains(back)));
}
