// Command foreign is somebody else's extension: like those that observe
// functions it takes a while before it registers, and then for all events. Called
// idle it takes no longer than it must.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// pause is how long the extension takes before it registers.
const pause = 100 * time.Millisecond

func main() {
	name := filepath.Base(os.Args[0])
	if name != "idle" {
		time.Sleep(pause)
	}
	if err := run(os.Getenv("AWS_LAMBDA_RUNTIME_API"), name); err != nil {
		fmt.Fprintln(os.Stderr, "foreign:", err)
		os.Exit(1)
	}
}

// run registers, then waits for the end of the environment.
func run(api, name string) error {
	base := "http://" + api + "/2020-01-01/extension/"
	header, _, err := call(http.MethodPost, base+"register", "Lambda-Extension-Name", name, `{"events":["INVOKE","SHUTDOWN"]}`)
	if err != nil {
		return err
	}
	const identifier = "Lambda-Extension-Identifier"
	for {
		_, event, err := call(http.MethodGet, base+"event/next", identifier, header.Get(identifier), "")
		if err != nil || event == "SHUTDOWN" {
			return err
		}
	}
}

// call asks the Extensions API, and returns the answer's header and, if it is an
// event, its type.
func call(method, url, header, value, body string) (http.Header, string, error) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	request.Header.Set(header, value)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("%s %s: %s", method, url, response.Status)
	}
	var answer struct {
		EventType string `json:"eventType"`
	}
	err = json.NewDecoder(response.Body).Decode(&answer)
	return response.Header, answer.EventType, err
}
