/** Where the focus goes when a page appears. */

/** To the page's heading: the link that led here is gone with the page before. */
export function takeFocus(heading: HTMLElement): void {
  if (document.activeElement === document.body) heading.focus();
}
