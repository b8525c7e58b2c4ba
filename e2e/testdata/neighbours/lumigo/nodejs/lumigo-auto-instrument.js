// As Lumigo's: reads its token in the function's process, and knows by the wrapper's
// name that it was started by it.
const [file, name] = process.env.LUMIGO_ORIGINAL_HANDLER.split(".");
const resolved = !process.env.LUMIGO_TRACER_TOKEN.includes("secretsmanager://");
const ours = process.env.AWS_LAMBDA_EXEC_WRAPPER === "/opt/lumigo_wrapper";
process.env.NEIGHBOUR = `lumigo ${resolved && ours ? "resolved" : "unresolved"}`;

exports.handler = async (event, context) => {
  process.env.TRACED = "yes";
  const original = await import(`${process.env.LAMBDA_TASK_ROOT}/${file}.mjs`);
  return original[name](event, context);
};
