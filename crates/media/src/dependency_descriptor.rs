//! The dependency descriptor (AV1 RTP specification, appendix A): to which frame a packet belongs, which layer that is,
//! which frames it needs, and who can begin with it. Reads a header extension and nothing of the payload, so it holds for
//! encrypted payload and for every codec.
//!
//! Pure: whoever calls keeps the last structure of each stream. Bytes come from strangers; nothing in here panics, and what
//! holds for whatever comes out is told at the types.

use crate::api::Size;

const MOST_SPATIAL: u8 = 3;
const MOST_TEMPORAL: u8 = 7;
const TEMPLATES: usize = 64;

/// What one packet says. `active` names no decode target that there is not; `frame` has one indication per decode target
/// and one difference per chain of the structure that is valid for it: its own, or else the known one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The packet is the first of its frame, or the last. A picture has a frame per spatial layer.
    pub starts_frame: bool,
    pub ends_frame: bool,
    pub frame_number: u16,
    /// From this packet on.
    pub structure: Option<Structure>,
    /// The decode targets that there are from this packet on, as bits.
    pub active: Option<u32>,
    pub frame: Frame,
}

/// What is said once, with a keyframe, and referred to later: 1 to 64 templates, 1 to 32 decode targets and at most as many
/// chains. Every template has one indication per decode target and one difference per chain; every decode target is protected
/// by a chain that there is, if there are any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    /// The number of the first template.
    pub offset: u8,
    pub templates: Vec<Frame>,
    pub targets: Vec<Target>,
    pub chains: u8,
    /// Of each spatial layer; empty if that is not said.
    pub sizes: Vec<Size>,
}

/// A frame, or the template of one. Spatial layers are at most 3, temporal ones at most 7.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    pub spatial: u8,
    pub temporal: u8,
    /// What it is to each decode target.
    pub indications: Vec<Indication>,
    /// How many frames back those are that it needs: 1 to 4 096, in a template 1 to 16.
    pub needs: Vec<u16>,
    /// How many frames back the frame before it lies in each chain; 0 if it needs none.
    pub chains: Vec<u8>,
}

/// A part of the stream that can be decoded by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    pub spatial: u8,
    pub temporal: u8,
    /// The chain whose frames suffice to go on with it after a loss.
    pub chain: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indication {
    /// Not part of it.
    Absent,
    /// No other frame of it needs this one.
    Discardable,
    /// Whoever can decode this frame can decode all later ones of it.
    Switch,
    Required,
}

impl Descriptor {
    /// `known` is the newest structure of the stream. `None` if this is no descriptor, or refers to what is not known.
    pub fn parse(bytes: &[u8], known: Option<&Structure>) -> Option<Self> {
        let mut bits = Bits { bytes, at: 0 };
        let starts_frame = bits.flag()?;
        let ends_frame = bits.flag()?;
        let template = bits.take(6)? as u8;
        let frame_number = bits.take(16)? as u16;
        let mut flags = [false; 5];
        if bytes.len() > 3 {
            for flag in &mut flags {
                *flag = bits.flag()?;
            }
        }
        let [has_structure, says_active, indications, needs, chains] = flags;
        let structure = match has_structure {
            true => Some(Structure::read(&mut bits)?),
            false => None,
        };
        let valid = structure.as_ref().or(known)?;
        let all = u32::MAX >> (32 - valid.targets.len().clamp(1, 32));
        let active = match says_active {
            true => Some(bits.take(valid.targets.len() as u32)?),
            false => structure.as_ref().map(|_| all),
        };
        let index = template.wrapping_sub(valid.offset) & 0x3f;
        let mut frame = valid.templates.get(usize::from(index))?.clone();
        if indications {
            frame.indications = read_indications(&mut bits, valid.targets.len())?;
        }
        if needs {
            frame.needs = read_needs(&mut bits)?;
        }
        if chains {
            frame.chains = read_each(valid.chains, || Some(bits.take(8)? as u8))?;
        }
        Some(Self {
            starts_frame,
            ends_frame,
            frame_number,
            structure,
            active,
            frame,
        })
    }
}

impl Structure {
    fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let offset = bits.take(6)? as u8;
        let targets = bits.take(5)? as usize + 1;
        let mut templates = read_layers(bits)?;
        for template in &mut templates {
            template.indications = read_indications(bits, targets)?;
        }
        for template in &mut templates {
            while bits.flag()? {
                template.needs.push(bits.take(4)? as u16 + 1);
            }
        }
        let chains = bits.below(targets as u32 + 1)? as u8;
        let mut targets: Vec<Target> = (0..targets)
            .map(|target| target_of(&templates, target))
            .collect();
        if chains > 0 {
            for target in &mut targets {
                target.chain = Some(bits.below(u32::from(chains))? as u8);
            }
        }
        for template in &mut templates {
            template.chains = read_each(chains, || Some(bits.take(4)? as u8))?;
        }
        let layers = templates.last().map_or(0, |template| template.spatial) + 1;
        let sizes = match bits.flag()? {
            true => read_each(layers, || {
                let mut dimension = || Some((bits.take(16)? as u16).saturating_add(1));
                Some(Size {
                    width: dimension()?,
                    height: dimension()?,
                })
            })?,
            false => vec![],
        };
        Some(Self {
            offset,
            templates,
            targets,
            chains,
            sizes,
        })
    }

    /// The size of a frame, if it is said.
    pub fn size_of(&self, frame: &Frame) -> Option<Size> {
        self.sizes.get(usize::from(frame.spatial)).copied()
    }
}

/// Templates without anything but their layers, which only go up.
fn read_layers(bits: &mut Bits<'_>) -> Option<Vec<Frame>> {
    let (mut spatial, mut temporal) = (0, 0);
    let mut templates = vec![];
    while templates.len() < TEMPLATES {
        templates.push(Frame {
            spatial,
            temporal,
            ..Frame::default()
        });
        match bits.take(2)? {
            0 => {}
            1 if temporal < MOST_TEMPORAL => temporal += 1,
            2 if spatial < MOST_SPATIAL => (spatial, temporal) = (spatial + 1, 0),
            3 => return Some(templates),
            _ => return None,
        }
    }
    None
}

fn read_indications(bits: &mut Bits<'_>, targets: usize) -> Option<Vec<Indication>> {
    let one = |bits: &mut Bits<'_>| {
        Some(match bits.take(2)? {
            0 => Indication::Absent,
            1 => Indication::Discardable,
            2 => Indication::Switch,
            _ => Indication::Required,
        })
    };
    (0..targets).map(|_| one(bits)).collect()
}

fn read_needs(bits: &mut Bits<'_>) -> Option<Vec<u16>> {
    let mut needs = vec![];
    loop {
        match bits.take(2)? {
            0 => return Some(needs),
            nibbles => needs.push(bits.take(4 * nibbles)? as u16 + 1),
        }
    }
}

fn read_each<T>(count: u8, mut one: impl FnMut() -> Option<T>) -> Option<Vec<T>> {
    (0..count).map(|_| one()).collect()
}

/// The layers of a decode target are those of the frames in it.
fn target_of(templates: &[Frame], index: usize) -> Target {
    let is_part = |template: &&Frame| {
        let indication = template.indications.get(index);
        indication.is_some_and(|indication| *indication != Indication::Absent)
    };
    let parts = || templates.iter().filter(is_part);
    Target {
        spatial: parts().map(|part| part.spatial).max().unwrap_or(0),
        temporal: parts().map(|part| part.temporal).max().unwrap_or(0),
        chain: None,
    }
}

/// Reads from the highest bit of each byte on.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// So many bits, at most 32.
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.take(1)? == 1)
    }

    /// A number below `limit` (`ns` in the specification).
    fn below(&mut self, limit: u32) -> Option<u32> {
        let width = u32::BITS - limit.leading_zeros();
        let short = (1 << width) - limit;
        let value = self.take(width.saturating_sub(1))?;
        if value < short {
            return Some(value);
        }
        Some((value << 1) - short + self.take(1)?)
    }
}

#[cfg(test)]
pub(crate) mod tests;
