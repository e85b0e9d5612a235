/** Puts the app on the page. What belongs to the browser comes in as arguments. */

import { mount } from 'svelte';
import type { AppScreen } from '../model/screens.ts';
import App from './App.svelte';
import { type LanguageMemory, startLanguage } from './language.svelte.ts';
import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';

export interface Surroundings {
  /** The person's languages, the most wanted first: `navigator.languages`. */
  readonly languages: readonly string[];
  /** Keeps the choice of language; absent where the browser gives no storage. */
  readonly memory?: LanguageMemory;
}

export function mountApp(target: Element, app: AppScreen, surroundings: Surroundings): void {
  startLanguage(surroundings.languages, surroundings.memory);
  mount(App, { target, props: { app } });
}
