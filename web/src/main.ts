import { mount } from 'svelte';
import Loading from './ui/entrance/Loading.svelte';
import './ui/styles/fonts.css';
import './ui/styles/tokens.css';
import './ui/styles/base.css';

const target = document.getElementById('app');
if (target) mount(Loading, { target });
