// A function in Rust as the CDK builds it, as its documentation has it, and for the layer.
const path = require('path');
const { App, Stack } = require('aws-cdk-lib');
const { RustFunction } = require('cargo-lambda-cdk');

const stack = new Stack(new App(), 'Stack');
const manifestPath = path.join(__dirname, '../../handlers/rust/Cargo.toml');

new RustFunction(stack, 'Plain', { manifestPath });

const fn = new RustFunction(stack, 'App', {
  manifestPath,
  bundling: {
    commandHooks: {
      beforeBundling: () => [],
      afterBundling: (_, out) => [`mv "${out}/bootstrap" "${out}/app"`],
    },
  },
});
fn.node.defaultChild.handler = 'app';
