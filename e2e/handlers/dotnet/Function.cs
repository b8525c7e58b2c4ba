// A Lambda function that reads its secrets from its environment only, as a
// function does that knows of no secret store. It understands names, files and
// digests of the Go function's events, and brings the loop of a runtime along.
using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Web.Script.Serialization;

static class Function
{
    static readonly JavaScriptSerializer Json = new JavaScriptSerializer();

    static void Main()
    {
        var api = $"http://{Environment.GetEnvironmentVariable("AWS_LAMBDA_RUNTIME_API")}/2018-06-01/runtime/invocation";
        while (true)
        {
            var request = WebRequest.CreateHttp($"{api}/next");
            request.Timeout = System.Threading.Timeout.Infinite;
            using (var invocation = request.GetResponse())
            using (var body = new StreamReader(invocation.GetResponseStream()))
            using (var answer = new WebClient())
            {
                var seen = Handle(Json.Deserialize<Dictionary<string, object>>(body.ReadToEnd()));
                var id = invocation.Headers["Lambda-Runtime-Aws-Request-Id"];
                answer.UploadData($"{api}/{id}/response", Encoding.UTF8.GetBytes(Json.Serialize(seen)));
            }
        }
    }

    static Dictionary<string, object> Handle(Dictionary<string, object> asked)
    {
        var seen = new Dictionary<string, object>();
        foreach (string name in Names(asked, "names")) seen[name] = Text(Lookup(name));
        foreach (string name in Names(asked, "files")) seen[name] = Text(File.ReadAllBytes(Environment.GetEnvironmentVariable(name)));
        foreach (string name in Names(asked, "digests")) seen[name] = Digest(Lookup(name));
        return seen;
    }

    static IEnumerable Names(Dictionary<string, object> asked, string key)
    {
        return asked.ContainsKey(key) ? (IEnumerable)asked[key] : new string[0];
    }

    // Lookup returns the bytes of the variable, or of the file that NAME_FILE
    // names, null if neither is there.
    static byte[] Lookup(string name)
    {
        var path = Environment.GetEnvironmentVariable(name + "_FILE");
        if (path != null) return File.ReadAllBytes(path);
        var value = Environment.GetEnvironmentVariable(name);
        return value == null ? null : new UTF8Encoding(false).GetBytes(value);
    }

    static string Text(byte[] value)
    {
        return value == null ? null : new UTF8Encoding(false).GetString(value);
    }

    static string Digest(byte[] value)
    {
        if (value == null) return null;
        using (var sum = SHA256.Create())
        {
            return BitConverter.ToString(sum.ComputeHash(value)).Replace("-", "").ToLowerInvariant();
        }
    }
}
