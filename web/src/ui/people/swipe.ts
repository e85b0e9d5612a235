/** Swiping a row away with a finger, against the direction of reading. For what a menu can do as well. */

/** From here on letting go means it. */
const FAR_PX = 96;
/** Less is a tap, or the beginning of scrolling. */
const SLACK_PX = 12;

/** Attach it to the row; `away` is called once the row was let go of far enough. */
export function swipe(away: () => void): (row: HTMLElement) => () => void {
  return (row) => {
    let from: number | undefined;
    let moved = 0;

    const move = (to: number): void => {
      moved = to;
      row.style.translate = to === 0 ? '' : `${to}px`;
      row.style.opacity = to === 0 ? '' : String(Math.max(0.3, 1 + to / (FAR_PX * 2)));
    };
    const down = (event: PointerEvent): void => {
      if (event.pointerType === 'touch') from = event.clientX;
    };
    const drag = (event: PointerEvent): void => {
      if (from === undefined) return;
      const by = Math.min(0, event.clientX - from + SLACK_PX);
      if (by < 0 && moved === 0) row.setPointerCapture(event.pointerId);
      move(by);
    };
    const up = (): void => {
      if (from !== undefined && moved <= -FAR_PX) away();
      from = undefined;
      move(0);
    };
    /** The browser scrolls with this finger. */
    const cancel = (): void => {
      from = undefined;
      move(0);
    };

    row.style.touchAction = 'pan-y';
    row.addEventListener('pointerdown', down);
    row.addEventListener('pointermove', drag);
    row.addEventListener('pointerup', up);
    row.addEventListener('pointercancel', cancel);
    return () => {
      row.removeEventListener('pointerdown', down);
      row.removeEventListener('pointermove', drag);
      row.removeEventListener('pointerup', up);
      row.removeEventListener('pointercancel', cancel);
    };
  };
}
