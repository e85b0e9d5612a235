/**
 * Whose face may be shown in a down slot: pure rules. A name is shown over a picture only from a frame that the server
 * named as the new person's first, or a later one.
 */

import type { ParticipantId, Slot } from '../protocol/generated.ts';

export interface Label {
  readonly generation: number;
  readonly participant?: ParticipantId;
  /** RTP timestamp of this person's first frame, once the server told it. */
  readonly firstRtp?: number;
  /** RTP timestamp of the newest frame that was drawn since this person was assigned. */
  readonly lastRtp?: number;
  /** Latched: later frames of the same generation are this person's too. */
  readonly visible: boolean;
}

/** Whether `rtp` is `first` or later; RTP timestamps wrap around (RFC 3550). */
export function reached(rtp: number, first: number): boolean {
  return (rtp - first) >>> 0 < 0x8000_0000;
}

/** The label after the server's word. The same object when nothing changed. */
export function assigned(label: Label | undefined, slot: Slot): Label {
  if (label && label.generation === slot.generation && label.participant === slot.participant) {
    const firstRtp = slot.first_rtp_timestamp;
    if (firstRtp === undefined || firstRtp === label.firstRtp) return label;
    return judged({ ...label, firstRtp });
  }
  return {
    generation: slot.generation,
    visible: false,
    ...(slot.participant === undefined ? {} : { participant: slot.participant }),
    ...(slot.first_rtp_timestamp === undefined ? {} : { firstRtp: slot.first_rtp_timestamp }),
  };
}

/** The label after a frame was drawn. */
export function drawn(label: Label, rtp: number): Label {
  return label.visible ? label : judged({ ...label, lastRtp: rtp });
}

/** The person turned the camera off and on: what stands in the picture is old until the next frame. */
export function stale(label: Label): Label {
  const { lastRtp: _, ...rest } = label;
  return { ...rest, visible: false };
}

function judged(label: Label): Label {
  const { firstRtp, lastRtp } = label;
  if (firstRtp === undefined || lastRtp === undefined || !reached(lastRtp, firstRtp)) return label;
  return { ...label, visible: true };
}
