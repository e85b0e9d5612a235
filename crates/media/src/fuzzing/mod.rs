//! Fuzz targets: what strangers and clients can send, against what must hold whatever they send. Run by the tests over the
//! committed inputs (`fuzz/corpus`) and by `cargo xtask fuzz` over others. Not part of any build but these two.

mod descriptor;
mod handshake;
mod ingress;
mod input;
mod numbers;
mod offers;
mod packets;
mod shards;
mod stage;
mod stream;
mod watch;

pub use descriptor::descriptor;
pub use ingress::ingress;
pub use numbers::numbers;
pub use offers::offers;
pub use packets::packets;
pub use shards::shards;
pub use stream::stream;

#[cfg(test)]
mod tests {
    const SEEDS: std::ops::Range<u64> = 1..4;

    fn check(target: &str, rounds: usize, run: fn(&[u8])) {
        corpus::replay(target, run);
        for seed in SEEDS {
            corpus::mutate(target, seed, rounds, run);
        }
    }

    #[test]
    fn whatever_a_descriptor_says_it_is_read_as_its_types_promise() {
        check("descriptor", 3_000, super::descriptor);
    }

    #[test]
    fn whatever_comes_to_the_port_nobody_unproven_gets_an_answer() {
        check("ingress", 60, super::ingress);
    }

    #[test]
    fn whatever_a_client_seals_others_get_each_number_once() {
        check("packets", 60, super::packets);
    }

    #[test]
    fn whatever_numbers_say_they_are_read_within_their_limits() {
        check("numbers", 3_000, super::numbers);
    }

    #[test]
    fn however_a_stream_is_cut_the_same_datagrams_come_out_of_it() {
        check("stream", 3_000, super::stream);
    }

    #[test]
    fn whatever_gets_lost_or_overtakes_between_shards_they_find_back_to_each_other() {
        check("shards", 20, super::shards);
    }

    #[test]
    fn whatever_an_offer_says_it_is_answered_whole_or_leaves_nothing() {
        check("offers", 60, super::offers);
    }
}
