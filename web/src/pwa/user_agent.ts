/** What only the name of a browser tells: where its menu has "to the home screen", and whether it is inside another app. */

/** iPads say that they are Macs; only they have fingers. */
function isApple(userAgent: string, touches: boolean): boolean {
  return /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && touches);
}

export function installsByHand(userAgent: string, touches: boolean): 'ios' | 'firefox' | undefined {
  if (insideApp(userAgent, touches)) return undefined;
  if (isApple(userAgent, touches)) return 'ios';
  return /Android/.test(userAgent) && /Firefox\//.test(userAgent) ? 'firefox' : undefined;
}

/** The names that such apps add, the mark of Android's web view, and on Apple's the missing name of a browser. */
export function insideApp(userAgent: string, touches: boolean): 'ios' | 'android' | undefined {
  const named =
    /\b(?:FBAN|FBAV|FB_IAB|Instagram|Line|MicroMessenger|LinkedInApp|Snapchat|Pinterest|musical_ly|BytedanceWebview)\b/;
  if (/Android/.test(userAgent)) return named.test(userAgent) || /; wv\)/.test(userAgent) ? 'android' : undefined;
  if (!isApple(userAgent, touches)) return undefined;
  return named.test(userAgent) || !/Safari\//.test(userAgent) ? 'ios' : undefined;
}
