# The loop of a Lambda runtime, as AWS's runtime client for Ruby has it: asks for
# events, has the handler answer them.
require 'json'
require 'net/http'

file, method = ENV.fetch('_HANDLER').split('.')
require File.expand_path(file, ENV.fetch('LAMBDA_TASK_ROOT'))

host, port = ENV.fetch('AWS_LAMBDA_RUNTIME_API').split(':')
Net::HTTP.start(host, port, nil, read_timeout: nil) do |api|
  loop do
    invocation = api.get('/2018-06-01/runtime/invocation/next')
    answer = JSON.generate(send(method, event: JSON.parse(invocation.body), context: nil))
    api.post("/2018-06-01/runtime/invocation/#{invocation['Lambda-Runtime-Aws-Request-Id']}/response", answer)
  end
end
