//! A Lambda function that reads its secrets from its environment only, as a
//! function does that knows of no secret store. It answers the part of what
//! ../go answers that a language could do otherwise: names, files and digests.

use std::os::unix::ffi::OsStrExt;
use std::{env, fs, io};

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}

/// What is absent is null.
async fn handle(event: LambdaEvent<Value>) -> Result<Map<String, Value>, Error> {
    let mut seen = Map::new();
    for name in strings(&event.payload["names"]) {
        let text = lookup(name)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        seen.insert(name.into(), text.into());
    }
    for name in strings(&event.payload["files"]) {
        let content = fs::read(env::var_os(name).unwrap_or_default())?;
        seen.insert(name.into(), String::from_utf8_lossy(&content).into());
    }
    for name in strings(&event.payload["digests"]) {
        let digest = lookup(name)?.map(|bytes| hex(&Sha256::digest(bytes)));
        seen.insert(name.into(), digest.into());
    }
    Ok(seen)
}

/// The variable `name`, or the content of the file that NAME_FILE names.
fn lookup(name: &str) -> io::Result<Option<Vec<u8>>> {
    match env::var_os(format!("{name}_FILE")) {
        Some(path) => fs::read(path).map(Some),
        None => Ok(env::var_os(name).map(|value| value.as_bytes().to_vec())),
    }
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
