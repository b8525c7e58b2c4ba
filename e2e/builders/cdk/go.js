// A function in Go as the CDK builds it, as its documentation has it, and for the layer.
const path = require('path');
const { App, Stack } = require('aws-cdk-lib');
const { Runtime } = require('aws-cdk-lib/aws-lambda');
const { GoFunction } = require('@aws-cdk/aws-lambda-go-alpha');

const stack = new Stack(new App(), 'Stack');
const entry = path.join(__dirname, '../../handlers/go');
const runtime = Runtime.PROVIDED_AL2023;

new GoFunction(stack, 'Plain', { entry, runtime });

const fn = new GoFunction(stack, 'App', {
  entry,
  runtime,
  bundling: {
    commandHooks: {
      beforeBundling: () => [],
      afterBundling: (_, out) => [`mv "${out}/bootstrap" "${out}/app"`],
    },
  },
});
fn.node.defaultChild.handler = 'app';
