/** Entering grows the door's own picture into the stage: where the picture stood, handed over once. */

let from: DOMRect | undefined;

export function growFrom(picture: Element | undefined): void {
  from = picture?.getBoundingClientRect();
}

/** Plays the growth on the stage that was just drawn; fades it in where motion is unwanted or nothing was there. */
export function grow(stage: Element): void {
  const start = from;
  from = undefined;
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  if (still || !start || start.width === 0) {
    stage.animate({ opacity: [0, 1] }, { duration: 220, easing: 'ease-out' });
    return;
  }
  const { width, height, left, top } = stage.getBoundingClientRect();
  const inset = [start.top - top, left + width - start.right, top + height - start.bottom, start.left - left];
  const edges = inset.map((edge) => `${Math.max(0, Math.round(edge))}px`).join(' ');
  stage.animate(
    { clipPath: [`inset(${edges} round 16px)`, 'inset(0 round 0)'] },
    { duration: 220, easing: 'cubic-bezier(0.2, 0, 0, 1)' },
  );
}
