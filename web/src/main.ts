import { mount } from 'svelte';
import App from './App.svelte';
import './app.css';
import { clock } from './lib/clock.svelte';
import { navigation } from './lib/navigation.svelte';

navigation.listen();
clock.start();
mount(App, { target: document.getElementById('app')! });
