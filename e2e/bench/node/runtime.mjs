// A Lambda runtime for Node.js, as small as the Runtime API allows: Lambda's own
// needs a compiler to be installed. All functions of the benchmark have the same.
import http from 'node:http';

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: `/2018-06-01/runtime/${path}` }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const { handler } = await import('/var/task/handler.mjs');
for (;;) {
  const { headers, body } = await call('GET', 'invocation/next');
  const answer = JSON.stringify(await handler(JSON.parse(body)));
  await call('POST', `invocation/${headers['lambda-runtime-aws-request-id']}/response`, answer);
}
