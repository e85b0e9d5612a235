/** While somebody rings the tab says so: its title comes and goes, its icon is another. */

const FLASH_MS = 1_000;
const ICON = '/icons/ringing.svg';

/** Until the returned function is called. What the page calls itself meanwhile is what stands there afterwards. */
export function callForAttention(words: string): () => void {
  let own = document.title;
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  const ownIcon = icon?.href;
  const flash = (): void => {
    if (document.title === words) document.title = own;
    else {
      own = document.title;
      document.title = words;
    }
  };
  flash();
  if (icon) icon.href = ICON;
  const timer = setInterval(flash, FLASH_MS);
  return () => {
    clearInterval(timer);
    if (document.title === words) document.title = own;
    if (icon && ownIcon !== undefined) icon.href = ownIcon;
  };
}
