// A Lambda function in Node.js that answers with its secrets. It reads them from
// its environment, or fetches them itself during its initialization if FETCH is
// "sequential" or "parallel". SECRETS holds their names as the function in Go
// wants them.
import { createRequire } from 'node:module';

// Lambda keeps the SDK where NODE_PATH leads, which only require looks into.
const require = createRequire(import.meta.url);
const secrets = process.env.SECRETS.split(' ').map((field) => field.split('='));

async function fetchAll(parallel) {
  const { SecretsManagerClient, GetSecretValueCommand } = require('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient({});
  const get = async ([variable, name]) => {
    const answer = await client.send(new GetSecretValueCommand({ SecretId: name }));
    return [variable, JSON.parse(answer.SecretString).password];
  };
  if (parallel) {
    return Object.fromEntries(await Promise.all(secrets.map(get)));
  }
  const passwords = {};
  for (const secret of secrets) {
    const [variable, password] = await get(secret);
    passwords[variable] = password;
  }
  return passwords;
}

const fetched = process.env.FETCH && (await fetchAll(process.env.FETCH === 'parallel'));

export const handler = async () =>
  fetched || Object.fromEntries(secrets.map(([variable]) => [variable, process.env[variable]]));
