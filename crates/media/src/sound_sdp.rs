//! What an answer asks for in the sections in which a client sends sound: a voice with pauses (discontinuous
//! transmission) and redundancy against loss, and the sound of a screen in stereo. The engine knows one format per codec
//! for all sections, so it is written here.

use crate::api::UplinkMids;
use crate::sdp::split_sections;

/// Browsers send about 32 kbit/s of it, and next to nothing in pauses.
const VOICE: &str = "minptime=10;useinbandfec=1;usedtx=1";
/// Without pauses: quiet music is music.
const MUSIC: &str = "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1;maxaveragebitrate=128000";

/// Browsers send redundancy only where it comes first, which would be too much of 128 kbit/s, and mono unless stereo is asked for.
pub(crate) fn ask_for_sound(answer: &str, uplink: &UplinkMids) -> String {
    let sections = split_sections(answer).map(|section| {
        let mid = section.lines().find_map(|line| line.strip_prefix("a=mid:"));
        match mid {
            Some(mid) if mid == uplink.microphone => shape(section, VOICE, "red/"),
            Some(mid) if mid == uplink.screen_audio => shape(section, MUSIC, "opus/"),
            _ => section.to_owned(),
        }
    });
    sections.collect()
}

fn shape(section: &str, format: &str, preferred: &str) -> String {
    let (opus, first) = (
        payload_type(section, "opus/"),
        payload_type(section, preferred),
    );
    let mut shaped = String::with_capacity(section.len() + format.len());
    for line in section.lines() {
        let format_of = line
            .strip_prefix("a=fmtp:")
            .and_then(|rest| rest.split_once(' '));
        if line.starts_with("m=")
            && let Some(first) = first
        {
            put_first(&mut shaped, line, first);
        } else if let Some((of, _)) = format_of
            && Some(of) == opus
        {
            shaped.extend(["a=fmtp:", of, " ", format]);
        } else {
            shaped.push_str(line);
        }
        shaped.push_str("\r\n");
    }
    shaped
}

fn payload_type<'a>(section: &'a str, codec: &str) -> Option<&'a str> {
    section
        .lines()
        .filter_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(' '))
        .find(|(_, name)| name.starts_with(codec))
        .map(|(payload_type, _)| payload_type)
}

/// Kind, port and protocol of the line stay where they are.
fn put_first(out: &mut String, line: &str, first: &str) {
    for (index, word) in line.split(' ').enumerate() {
        match index {
            0 => out.push_str(word),
            1 | 2 => out.extend([" ", word]),
            3 => out.extend([" ", first]),
            _ => {}
        }
        if index >= 3 && word != first {
            out.extend([" ", word]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uplink() -> UplinkMids {
        let [microphone, camera, screen, screen_audio] = ["0", "1", "2", "3"].map(str::to_owned);
        UplinkMids {
            microphone,
            camera,
            screen,
            screen_audio,
        }
    }

    fn section(mid: &str, types: &str, red: bool) -> String {
        let red = if red {
            "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"
        } else {
            ""
        };
        format!(
            "m=audio 9 UDP/TLS/RTP/SAVPF {types}\r\na=mid:{mid}\r\na=rtpmap:111 opus/48000/2\r\n\
             a=fmtp:111 minptime=10;useinbandfec=1\r\n{red}"
        )
    }

    #[test]
    fn a_microphone_pauses_and_is_redundant_and_a_screen_is_stereo() {
        let answer = |microphone: &str, red| {
            [
                "v=0\r\n",
                microphone,
                &section("3", "63 111", red),
                &section("4", "111 63", red),
            ]
            .concat()
        };
        let shaped = ask_for_sound(&answer(&section("0", "111 63", true), true), &uplink());
        let lines = |mid: &str| -> Vec<String> {
            let found = split_sections(&shaped)
                .find(|section| section.contains(&format!("a=mid:{mid}\r\n")));
            found
                .expect("a section")
                .lines()
                .map(str::to_owned)
                .collect()
        };
        let microphone = lines("0");
        assert_eq!(microphone[0], "m=audio 9 UDP/TLS/RTP/SAVPF 63 111");
        assert!(microphone.contains(&format!("a=fmtp:111 {VOICE}")));
        assert!(microphone.contains(&"a=fmtp:63 111/111".to_owned()));
        let screen = lines("3");
        assert_eq!(screen[0], "m=audio 9 UDP/TLS/RTP/SAVPF 111 63");
        assert!(screen.contains(&format!("a=fmtp:111 {MUSIC}")));
        assert!(lines("4").contains(&"a=fmtp:111 minptime=10;useinbandfec=1".to_owned()));
    }

    #[test]
    fn without_redundancy_the_order_stays() {
        let shaped = ask_for_sound(&section("0", "111 0", false), &uplink());
        assert!(shaped.starts_with("m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\n"));
    }
}
