import { mount } from 'svelte';
import App from './App.svelte';
import './app.css';
import { clock } from './lib/clock.svelte';
import { navigation } from './lib/navigation.svelte';
import { loadMessages } from './messages';

navigation.listen();
clock.start();
void loadMessages().then(() => mount(App, { target: document.getElementById('app')! }));
