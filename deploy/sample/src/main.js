// Starts the service on PORT (0 chooses a free one) and prints its address; ends on SIGTERM.
import { createApp } from './server.js';

const app = createApp();
app.listen(Number(process.env.PORT ?? 8080), process.env.HOST ?? '0.0.0.0', () => {
  console.log(`listening on port ${app.address().port}`);
});
process.on('SIGTERM', () => {
  app.close();
  app.closeIdleConnections(); // node 18 would wait for them
});
