# The loop of a Lambda runtime, as AWS's runtime client for Ruby has it: asks for
# events, has the handler answer them.
require 'json'
require 'net/http'

file, method = ENV.fetch('_HANDLER').split('.')
require_relative File.join(ENV.fetch('LAMBDA_TASK_ROOT'), file)

host, port = ENV.fetch('AWS_LAMBDA_RUNTIME_API').split(':')
Net::HTTP.start(host, port, nil, read_timeout: nil) do |api|
  loop do
    invocation = api.get('/2018-06-01/runtime/invocation/next')
    answer = JSON.generate(send(method, JSON.parse(invocation.body)))
    api.post("/2018-06-01/runtime/invocation/#{invocation['Lambda-Runtime-Aws-Request-Id']}/response", answer)
  end
end
