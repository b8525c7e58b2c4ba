import * as path from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { IAlias, IKey } from 'aws-cdk-lib/aws-kms';
import { CfnFunction, Code, Function, LayerVersion, Runtime } from 'aws-cdk-lib/aws-lambda';
import { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { NamedSecret, Reference, Template, secretsIn } from './reference';

export interface SecretwrapProps {
  /** Directory of the layers that `make layer` builds. */
  readonly dist: string;
}

/** What a variable holds: a text, which may be a reference by name, or what ref and template make. */
export type Value = string | Reference | Template;

const withLayer = new WeakSet<Function>();

/** Puts secrets into the environment of functions, and lets them read these secrets and no others. */
export class Secretwrap extends Construct {
  constructor(scope: Construct, id: string, private readonly props: SecretwrapProps) {
    super(scope, id);
  }

  /** Adds the layer, the variables, and what the role must allow. */
  addTo(fn: Function, variables: Record<string, Value>): void {
    this.addLayer(fn);
    for (const [name, value] of Object.entries(variables)) {
      fn.addEnvironment(name, typeof value === 'string' ? value : value.textFor(fn));
    }
    const literal = words(variables.SECRETWRAP_LITERAL);
    const examined = Object.entries(variables).filter(([name]) => !literal.includes(name));
    const references = examined.flatMap(([, value]) => referencesIn(value));
    const named = examined.flatMap(([name, value]) => namedIn(name, value));
    grantRead(fn, [...references.flatMap(arnsOfReference), ...named.flatMap((secret) => arnsOfNamed(fn, secret))]);
    references.forEach(({ secret }) => grantDecrypt(fn, secret));
  }

  /** Lets a function read the secrets to which its secretwrap.yaml refers, which is not read here. */
  allow(fn: Function, ...references: string[]): void {
    grantRead(fn, references.map(withScheme).flatMap(secretsIn).flatMap((secret) => arnsOfNamed(fn, secret)));
  }

  /** Adds the layer and what starts it, once. An image must hold both: its function takes no layers. */
  private addLayer(fn: Function): void {
    if (fn.runtime.name === Runtime.FROM_IMAGE.name || withLayer.has(fn)) return;
    withLayer.add(fn);
    const osOnly = fn.runtime.name.startsWith('provided');
    fn.addLayers(this.layerFor(fn, osOnly));
    if (osOnly) {
      requireHandler(fn);
    } else {
      fn.addEnvironment('AWS_LAMBDA_EXEC_WRAPPER', '/opt/secretwrap');
    }
  }

  /**
   * Returns the layer for functions of one kind in one stack, which they share. Another
   * stack would import it by an export, which cannot change while it is imported.
   */
  private layerFor(fn: Function, osOnly: boolean): LayerVersion {
    const stack = Stack.of(fn);
    const variant = `${osOnly ? 'os-only-' : ''}${fn.architecture.name}`;
    const id = `${this.node.path}-${variant}`;
    const known = stack.node.tryFindChild(id);
    if (known instanceof LayerVersion) return known;
    return new LayerVersion(stack, id, {
      // A zip is published as it is, links included.
      code: Code.fromAsset(path.join(this.props.dist, `secretwrap-layer-${variant}.zip`)),
      compatibleArchitectures: [fn.architecture],
    });
  }
}

/** Refuses a program called bootstrap, which hides the layer's. Its name may be changed until the end. */
function requireHandler(fn: Function): void {
  fn.node.addValidation({
    validate: () => {
      const { handler } = fn.node.defaultChild as CfnFunction;
      return handler === 'bootstrap' ? ['secretwrap: call the program anything but bootstrap, and set the handler to its name'] : [];
    },
  });
}

/** Lets a function read secrets, by their ARNs. */
function grantRead(fn: Function, arns: string[]): void {
  if (arns.length === 0) return;
  fn.addToRolePolicy(new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [...new Set(arns)] }));
}

/** Lets Secrets Manager use the secret's key on behalf of a function. */
function grantDecrypt(fn: Function, secret: ISecret): void {
  if (secret.encryptionKey === undefined) return;
  fn.addToRolePolicy(new PolicyStatement({
    actions: ['kms:Decrypt'],
    resources: [arnOfKey(secret.encryptionKey)],
    conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${secret.env.region}.amazonaws.com` } },
  }));
}

/** Returns the ARN of a key, also behind an alias, whose own ARN allows nothing in a policy. */
function arnOfKey(key: IKey): string {
  if (!('aliasName' in key)) return key.keyArn;
  const alias = key as IAlias;
  try {
    return alias.aliasTargetKey.keyArn;
  } catch {
    throw new Error(`secretwrap: the key behind ${alias.aliasName} is not known: give the secret the key itself, for instance by Key.fromKeyArn`);
  }
}

/** Returns the references to constructs that a value holds. */
function referencesIn(value: Value): readonly Reference[] {
  if (value instanceof Template) return value.references;
  return value instanceof Reference ? [value] : [];
}

/** Returns the secrets that a variable names in its text. */
function namedIn(name: string, value: Value): NamedSecret[] {
  if (typeof value !== 'string') return [];
  try {
    return textsIn(name, value).flatMap(secretsIn);
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Returns the texts in a variable that may hold references. */
function textsIn(name: string, value: string): string[] {
  if (name === 'SECRETWRAP_ENV_FROM') return words(value).map(withScheme);
  return name.startsWith('SECRETWRAP_') ? [] : [value];
}

/** Returns a reference where the scheme may be left out. */
function withScheme(reference: string): string {
  return `secretsmanager://${reference.replace(/^secretsmanager:\/\//, '')}`;
}

function words(value: Value | undefined): string[] {
  return `${value ?? ''}`.split(/[\s,]+/).filter((word) => word !== '');
}

function arnsOfReference({ secret, mayBeAbsent }: Reference): string[] {
  return secret.secretFullArn === undefined ? incomplete(secret.secretArn, mayBeAbsent) : [secret.secretFullArn];
}

function arnsOfNamed(scope: Construct, { id, mayBeAbsent }: NamedSecret): string[] {
  if (id.startsWith('arn:')) return arnsOfArn(id, mayBeAbsent);
  const { partition, region, account } = Stack.of(scope);
  return incomplete(`arn:${partition}:secretsmanager:${region}:${account}:secret:${id}`, mayBeAbsent);
}

/**
 * Returns the ARNs for one that may end with the six characters that AWS appends. Where
 * these hold no capital letter but the first, they may be the end of a name as well.
 */
function arnsOfArn(arn: string, mayBeAbsent: boolean): string[] {
  if (!/-[A-Za-z0-9]{6}$/.test(arn)) return incomplete(arn, mayBeAbsent);
  return /-[A-Za-z0-9][a-z0-9]{5}$/.test(arn) ? [arn, `${arn}-??????`] : [arn];
}

/**
 * Returns the ARNs for one without the six characters that AWS appends. AWS may deny
 * access to an absent secret that is not allowed by its mere name.
 */
function incomplete(arn: string, mayBeAbsent: boolean): string[] {
  return mayBeAbsent ? [`${arn}-??????`, arn] : [`${arn}-??????`];
}
