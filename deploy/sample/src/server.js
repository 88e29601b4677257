// The HTTP side: GET /healthz, and POST /quote with {"kilograms": 2, "litres": 10, "zone": "domestic"}.
import { createServer } from 'node:http';
import { InvalidParcel, quote } from './quote.js';

const BODY_LIMIT = 10_000;

async function bodyOf(request) {
  let text = '';
  for await (const piece of request) {
    text += piece;
    if (text.length > BODY_LIMIT) throw new InvalidParcel('the body is too long');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidParcel('the body is not JSON');
  }
}

function answer(response, status, content) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(content) + '\n');
}

async function answerQuote(request, response) {
  try {
    answer(response, 200, { cents: quote(await bodyOf(request)) });
  } catch (error) {
    if (!(error instanceof InvalidParcel)) throw error;
    answer(response, 400, { message: error.message });
  }
}

export function createApp() {
  return createServer((request, response) => {
    const route = `${request.method} ${request.url}`;
    if (route === 'GET /healthz') return answer(response, 200, { status: 'ok' });
    if (route === 'POST /quote') return answerQuote(request, response);
    return answer(response, 404, { message: `nothing at ${route}` });
  });
}
