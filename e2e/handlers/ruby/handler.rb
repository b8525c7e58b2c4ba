# A Lambda function that reads its secrets from its environment only, as a
# function does that knows of no secret store. It understands names, files and
# digests of the Go function's events.
require 'digest'

def handler(event:, context:)
  seen = {}
  event.fetch('names', []).each { |name| seen[name] = text(lookup(name)) }
  event.fetch('files', []).each { |name| seen[name] = text(File.binread(ENV.fetch(name))) }
  event.fetch('digests', []).each { |name| seen[name] = lookup(name)&.then { Digest::SHA256.hexdigest(_1) } }
  seen
end

# Returns the bytes of the variable, or of the file that NAME_FILE names, nil if
# neither is there.
def lookup(name)
  path = ENV["#{name}_FILE"]
  path ? File.binread(path) : ENV[name]&.b
end

def text(value)
  value&.dup&.force_encoding('UTF-8')
end
