import { render } from 'preact';
import '@preact/signals';
import 'uplot/dist/uPlot.min.css';
import './styles/tokens.css';
import './styles/page.css';
import './styles/call.css';
import { Call } from './call/call.js';
import { parsePageOptions } from './call/names.js';
import { App } from './view/app.js';
import { applyTheme } from './view/theme.js';

const options = parsePageOptions(window.location.search);
const call = new Call(options);
const root = document.getElementById('app');
if (root === null) throw new Error('index.html has no #app');
applyTheme();
render(<App call={call} session={options.session} />, root);
// A closed tab should leave at once, not when its grace is over.
window.addEventListener('pagehide', () => call.leave());
void call.start();
