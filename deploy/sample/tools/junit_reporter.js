// A reporter for node:test that writes JUnit's XML; node 18 has none of its own.
const escaped = (text) => String(text).replace(/[<>&"]/g, (c) => `&#${c.charCodeAt(0)};`);

function testCase({ name, file, details }) {
  const head = `  <testcase classname="${escaped(file ?? 'tests')}" name="${escaped(name)}"` +
    ` time="${(details.duration_ms / 1000).toFixed(3)}"`;
  if (!details.error) return `${head}/>\n`;
  const cause = details.error.cause ?? details.error;
  const why = cause.message ?? cause;
  return `${head}>\n    <failure message="${escaped(why)}">${escaped(cause.stack ?? why)}</failure>\n  </testcase>\n`;
}

export default async function* junit(events) {
  yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="slipway-sample-app">\n';
  for await (const { type, data } of events) {
    if (type === 'test:pass' || type === 'test:fail') yield testCase(data);
  }
  yield '</testsuite>\n';
}
