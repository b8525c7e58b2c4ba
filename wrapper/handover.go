package main

import (
	"context"
	"errors"
	"os"
	"strconv"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/deliver"
	"secretwrap/internal/fetch"
	"secretwrap/internal/handover"
	"secretwrap/internal/problem"
	"secretwrap/internal/report"
	"secretwrap/internal/secretfiles"
	"secretwrap/internal/settings"
)

// fetch gets the secrets from the extension if there is one, else from Secrets
// Manager itself. Both have one budget together.
func (s *start) fetch(config awssecrets.Config, restarted bool) ([]fetch.Outcome, *handover.Client) {
	asked := requests(s.plan)
	budget := s.settings.StartBudget(s.variables[initializationType], restarted)
	began := time.Now()
	if extension := s.dial(); extension != nil {
		outcomes, err := extension.Documents(asked, budget)
		if err == nil {
			return outcomes, extension
		}
		extension.Close()
		if errors.Is(err, handover.ErrLate) {
			return lateOutcomes(len(asked)), nil
		}
		s.reportAlone(err)
	}
	return fetch.All(context.Background(), awssecrets.New(config), asked, fetch.Options{
		Budget:      max(0, budget-time.Since(began)),
		Connections: config.Connections,
		Waiting:     func(pending []awssecrets.Request) { s.reportWaiting(pending, len(asked)) },
	}), nil
}

// handsOver reports whether wrapper and extension may work together.
func (s *start) handsOver() bool { return s.settings.Handover != "off" }

// dial returns the extension, nil if the wrapper works alone.
func (s *start) dial() *handover.Client {
	if !s.inLambda || !s.handsOver() {
		return nil
	}
	identity := s.identity()
	extension, err := handover.Dial(handover.Directory(s.temporary), identity)
	if err != nil && s.temporary != usualTemporary {
		// The extension does not see a TMPDIR that the runtime's bootstrap sets.
		extension, err = handover.Dial(handover.Directory(usualTemporary), identity)
	}
	if err != nil {
		s.reportAlone(err)
		return nil
	}
	return extension
}

// decline lets the extension know that the wrapper was started, and asks for
// nothing.
func (s *start) decline() {
	if extension := s.dial(); extension != nil {
		extension.Close()
	}
}

func (s *start) reportAlone(why error) {
	s.reporter.Event(report.Debug, report.CodeExtension, "the wrapper works alone: %v", why)
}

// identity is what wrapper and extension must have in common: the build, and
// where Secrets Manager is asked as whom. Two builds of one version differ in
// size.
func (s *start) identity() string {
	size := int64(0)
	if info, err := os.Stat(s.process.executable); err == nil {
		size = info.Size()
	}
	return version + "/" + strconv.FormatInt(size, 10) + "/" + awssecrets.Identity(s.variables)
}

// lateOutcomes are those of an extension that was asked and did not answer. A
// second fetch would not fit into Lambda's time.
func lateOutcomes(n int) []fetch.Outcome {
	outcomes := make([]fetch.Outcome, n)
	for i := range outcomes {
		outcomes[i].Err = &awssecrets.Error{
			Class: problem.Timeout, Cause: "the extension did not answer in time",
			Hint: "its own lines of the log tell what it waited for; SECRETWRAP_HANDOVER=off lets the wrapper work alone",
		}
	}
	return outcomes
}

// deliverFiles has the extension write the files, or writes them itself.
func (s *start) deliverFiles(extension *handover.Client, delivery deliver.Delivery) *problem.Problem {
	if s.former.hasFilesIn(s.settings.Dir) {
		return keepFiles(delivery.Files)
	}
	if extension == nil {
		p := s.writeFiles(delivery.Files)
		if p == nil {
			s.warnOfAging(delivery)
		}
		return p
	}
	p, err := extension.Publish(handover.Files{Dir: s.settings.Dir, Copies: delivery.Copies, Former: secretfiles.Published(s.settings.Dir)})
	switch {
	case err == nil:
		return p
	case errors.Is(err, handover.ErrLate):
		return &problem.Problem{
			Class: problem.File, Variable: settings.Dir, Cause: "the extension did not write the files in time",
			Hint: "see whether /tmp is full or slow; SECRETWRAP_HANDOVER=off lets the wrapper work alone",
		}
	}
	s.reportAlone(err)
	return s.writeFiles(delivery.Files)
}

// warnOfAging tells of files that nobody keeps fresh: there is no extension, or it
// has served the visit before.
func (s *start) warnOfAging(delivery deliver.Delivery) {
	if !s.inLambda || s.settings.Refresh == 0 || len(delivery.Copies) == 0 {
		return
	}
	why := "there is no " + extensionPath
	if exists(extensionPath) {
		if s.former.Number == 0 {
			return // it says itself what is wrong
		}
		why = "the wrapper was started a second time"
	}
	s.reporter.Event(report.Warn, report.CodeStale, "the files are not refreshed: %s; SECRETWRAP_REFRESH=0 says that this is meant", why)
}
