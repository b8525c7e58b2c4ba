import * as path from 'node:path';
import { App, CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Architecture, Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { ref, template } from '../lib/reference';
import { Secretwrap } from '../lib/secretwrap';

const stack = new Stack(new App(), 'SecretwrapExample');

const database = new Secret(stack, 'DatabaseSecret', {
  secretName: 'secretwrap-example/db',
  generateSecretString: {
    secretStringTemplate: JSON.stringify({ username: 'app', host: 'db.example.internal', port: 5432 }),
    generateStringKey: 'password',
    passwordLength: 32,
  },
});

const signingKey = new Secret(stack, 'SigningKey', {
  secretName: 'secretwrap-example/signing-key',
  generateSecretString: { excludePunctuation: true, passwordLength: 64 },
});

const fn = new Function(stack, 'Function', {
  runtime: Runtime.PYTHON_3_13,
  architecture: Architecture.X86_64,
  code: Code.fromAsset('function'),
  handler: 'app.handler',
  memorySize: 256,
  timeout: Duration.seconds(10),
  logGroup: new LogGroup(stack, 'Logs', { retention: RetentionDays.TWO_WEEKS, removalPolicy: RemovalPolicy.DESTROY }),
});

// Paths begin where the program runs, in the directory of cdk.json.
const secretwrap = new Secretwrap(stack, 'Secretwrap', { dist: path.join('..', '..', 'dist') });
const field = (name: string, encode?: 'url') => ref(database, { path: name, encode });
secretwrap.addTo(fn, {
  DB_PASSWORD: field('password'),
  DATABASE_URL: template`postgres://${field('username')}:${field('password', 'url')}@${field('host')}:${field('port')}/app`,
  SIGNING_KEY_PATH: ref(signingKey, { file: 'signing.key' }),
});

new CfnOutput(stack, 'FunctionName', { value: fn.functionName });
