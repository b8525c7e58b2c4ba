package scale

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/fetch"
)

const (
	resultsFile = "../../docs/scale.json"
	chartFile   = "../../docs/scale.svg"
	textFile    = "../../docs/scale.md"
)

// writeReport makes the whole table, which takes a minute.
var writeReport = flag.Bool("report", false, "simulate every fleet, and write docs/scale.json, docs/scale.svg and the tables in docs/scale.md")

// started runs a fleet in virtual time.
func started(t *testing.T, f fleet) (cell, outcome) {
	t.Helper()
	var o outcome
	synctest.Test(t, func(t *testing.T) { o = f.run(t.Context()) })
	return f.summarize(o), o
}

// failed runs a function of which every start fails in virtual time.
func failed(t *testing.T, f failing) (brief, asking) {
	t.Helper()
	dir := t.TempDir()
	var a asking
	synctest.Test(t, func(t *testing.T) { a = f.run(t.Context(), dir) })
	return f.summarize(a), a
}

func TestABucketHoldsASecondsCalls(t *testing.T) {
	now := time.Now()
	b := newBucket(100, now)
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 100}, {10 * time.Millisecond, 1}, {5 * time.Millisecond, 0}, {5 * time.Millisecond, 1}, {time.Hour, 100}} {
		now = now.Add(step.after)
		taken := 0
		for b.take(now) {
			taken++
		}
		if taken != step.want {
			t.Errorf("%d calls after %v, want %d", taken, step.after, step.want)
		}
	}
}

func TestUnderTheQuotaEverySecretArrivesWithOneCall(t *testing.T) {
	for _, f := range []fleet{
		{getValue(), 100, 20, 10 * time.Second},
		{getValue(), 1000, 10, time.Second},
		{getValue(), 3000, 3, time.Second},
		{batch(), 500, 20, 10 * time.Second},
	} {
		c, o := started(t, f)
		rounds := (f.api.calls(f.secrets) + connections - 1) / connections
		if c.Calls != f.needed() || c.Throttled != 0 || c.FailedInits != 0 || c.GivenUp != 0 {
			t.Errorf("%+v: %+v", f, c)
		}
		for _, e := range o.environments {
			if want := time.Duration(rounds) * answerTime; e.wait != want || !e.started {
				t.Fatalf("%+v: an environment waited %v, want %v", f, e.wait, want)
			}
		}
	}
}

func TestOverTheQuotaEveryEnvironmentStartsAfterAWhile(t *testing.T) {
	c, _ := started(t, fleet{getValue(), 2500, 10, time.Second})
	if c.Throttled == 0 {
		t.Fatal("the fleet met no quota")
	}
	if c.FailedInits != 0 || c.GivenUp != 0 || c.amplification() > 3 {
		t.Errorf("%+v", c)
	}
}

func TestNobodyGetsMoreThanTheQuota(t *testing.T) {
	for _, f := range []fleet{{getValue(), 2000, 20, time.Second}, {batch(), 2000, 20, time.Second}} {
		c, _ := started(t, f)
		answered, most := int64(c.Calls-c.Throttled), int64(f.api.quota)*(1000+c.SettledMS)/1000
		if answered > most {
			t.Errorf("%s answered %d calls in %d ms", c.API, answered, c.SettledMS)
		}
	}
}

func TestTheBatchCallFailsWhereTheOtherDoesNot(t *testing.T) {
	for _, f := range []fleet{{getValue(), 1000, 10, time.Second}, {getValue(), 2000, 20, 10 * time.Second}} {
		one, _ := started(t, f)
		f.api = batch()
		other, _ := started(t, f)
		if one.FailedInits > 0 || one.Throttled > 0 || other.FailedInits == 0 || other.amplification() < 2 {
			t.Errorf("%s: %+v\n%s: %+v", one.API, one, other.API, other)
		}
	}
}

// A fleet that shares the quota evenly gets nothing done: everybody has half of
// the secrets when the budget ends. A tenth of the quota and of the fleet shows
// it in a tenth of the time.
func TestAFleetThatAsksForTwiceTheQuotaGetsOn(t *testing.T) {
	tenth := api{name: "a tenth", quota: 1000, perCall: 1}
	c, _ := started(t, fleet{tenth, 1000, 20, 10 * time.Second})
	if c.GivenUp > 250 || c.amplification() > 10 {
		t.Errorf("%+v", c)
	}
}

// diary is a service that notes when it was called.
type diary struct {
	*service
	began time.Time

	mu sync.Mutex
	at []time.Duration
}

// Get implements fetch.Getter.
func (d *diary) Get(ctx context.Context, request awssecrets.Request, patience time.Duration) (awssecrets.Document, error) {
	d.mu.Lock()
	d.at = append(d.at, time.Since(d.began))
	d.mu.Unlock()
	return d.service.Get(ctx, request, patience)
}

// busiest returns the largest number of calls within any tenth of a second that
// begins after some time.
func (d *diary) busiest(after time.Duration) int {
	counts := make(map[time.Duration]int)
	most := 0
	for _, at := range d.at {
		if at >= after {
			counts[at/(100*time.Millisecond)]++
			most = max(most, counts[at/(100*time.Millisecond)])
		}
	}
	return most
}

// A thousand calls in the same moment meet a quota of 50 a second: four fifths of
// the environments can have no secret at all in time.
func TestManyThatStartInOneMomentDoNotComeBackInOne(t *testing.T) {
	const environments, secrets = 200, 5
	synctest.Test(t, func(t *testing.T) {
		d := &diary{service: newService(api{"a small quota", 50, 1}), began: time.Now()}
		var group sync.WaitGroup
		for range environments {
			group.Go(func() {
				requests := fleet{api: getValue(), secrets: secrets}.requests()
				fetch.All(t.Context(), d, requests, fetch.Options{Budget: firstBudget, Connections: connections})
				if took := time.Since(d.began); took > firstBudget {
					t.Errorf("an environment took %v", took)
				}
			})
		}
		group.Wait()
		if first := d.busiest(0); first < environments*secrets {
			t.Fatalf("%d calls at the beginning: the test proves nothing", first)
		}
		if most := d.busiest(time.Second); most > environments {
			t.Errorf("%d calls within a tenth of a second, of %d environments", most, environments)
		}
	})
}

func TestTheBrakeLetsOneRoundOfCallsPassInItsTime(t *testing.T) {
	f := failing{environments: 20, secrets: 3, braked: true}
	b, a := failed(t, f)
	asked := 0
	for _, rounds := range a.rounds {
		asked += len(rounds)
		for i := 1; i < len(rounds); i++ {
			if since := rounds[i] - rounds[i-1]; since < 5*time.Second {
				t.Errorf("asked again after %v", since)
			}
		}
		if len(rounds) < 10 {
			t.Errorf("asked %d times in %v", len(rounds), failingFor)
		}
	}
	if b.Calls != asked*f.secrets {
		t.Errorf("%d calls in %d rounds", b.Calls, asked)
	}
	f.braked = false
	if without, _ := failed(t, f); without.Calls < 40*b.Calls {
		t.Errorf("%d calls without the brake, %d with it", without.Calls, b.Calls)
	}
}

// TestReport makes what docs/scale.md shows.
func TestReport(t *testing.T) {
	if !*writeReport {
		t.Skip("asked for by -report")
	}
	r := report{Fleets: startedAll(t)}
	for _, f := range failings() {
		b, _ := failed(t, f)
		r.Brake = append(r.Brake, b)
		fmt.Printf("every start fails: %5s, brake %-5t: %s calls/s\n", grouped(f.environments), f.braked, rate(b.PerSecond))
	}
	fmt.Printf("\n%s\n%s", r.fleetTable(), r.brakeTable())
	write(t, r)
}

// startedAll runs all fleets of the report, on every processor one at a time: a
// bubble hardly uses more than one.
func startedAll(t *testing.T) []cell {
	t.Helper()
	var group sync.WaitGroup
	processors := make(chan struct{}, runtime.GOMAXPROCS(0))
	cells := make([]cell, len(fleets()))
	for i, f := range fleets() {
		processors <- struct{}{}
		group.Go(func() {
			defer func() { <-processors }()
			cells[i], _ = started(t, f)
			printProgress(i, cells[i])
		})
	}
	group.Wait()
	return cells
}

func printProgress(i int, c cell) {
	fmt.Printf("%2d of %d: %6s in %2d s, %5s: slowest %6s, %6s failed inits, %5s given up, %4.1f × the calls\n", i+1, len(fleets()),
		grouped(c.Environments), c.WithinMS/1000, c.asked(), seconds(c.WaitMaxMS), grouped(c.FailedInits), grouped(c.GivenUp), c.amplification())
}

// write puts the results where the documents are.
func write(t *testing.T, r report) {
	t.Helper()
	encoded, err := r.encode()
	text := withTable(withTable(read(t, textFile), r.fleetTable()), r.brakeTable())
	err = errors.Join(err, os.WriteFile(resultsFile, encoded, 0o644), os.WriteFile(chartFile, []byte(r.chart()), 0o644), os.WriteFile(textFile, []byte(text), 0o644))
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// committed returns the results that the documents are about.
func committed(t *testing.T) report {
	t.Helper()
	var r report
	if err := json.Unmarshal([]byte(read(t, resultsFile)), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheDocumentShowsTheResults(t *testing.T) {
	r, text := committed(t), read(t, textFile)
	for _, table := range []string{r.fleetTable(), r.brakeTable()} {
		if !strings.Contains(text, "\n\n"+table+"\n") {
			t.Errorf("docs/scale.md does not hold:\n%s", table)
		}
	}
	if read(t, chartFile) != r.chart() {
		t.Error("docs/scale.svg shows other results: make scale")
	}
}

func TestTheResultsAreOfTheseFleets(t *testing.T) {
	r := committed(t)
	if len(r.Fleets) != len(fleets()) || len(r.Brake) != len(failings()) {
		t.Fatalf("%d fleets and %d functions", len(r.Fleets), len(r.Brake))
	}
	for i, f := range fleets() {
		c := r.Fleets[i]
		if c.API != f.api.name || c.Environments != f.environments || c.Secrets != f.secrets || c.WithinMS != f.within.Milliseconds() || c.Needed != f.needed() {
			t.Errorf("%+v is not of %+v", c, f)
		}
	}
	for i, f := range failings() {
		if b := r.Brake[i]; b.Environments != f.environments || b.Secrets != f.secrets || b.Braked != f.braked {
			t.Errorf("%+v is not of %+v", b, f)
		}
	}
}

func TestTheChartIsXML(t *testing.T) {
	var r report
	for _, f := range fleets() {
		r.Fleets = append(r.Fleets, f.summarize(outcome{environments: make([]environment, 1)}))
	}
	chart := r.chart()
	for decoder := xml.NewDecoder(strings.NewReader(chart)); ; {
		_, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, chart)
		}
	}
	if boxes := strings.Count(chart, `height="42" rx="4"`); boxes != len(r.Fleets) {
		t.Errorf("%d boxes, want %d", boxes, len(r.Fleets))
	}
}

func TestATableReplacesItsPredecessor(t *testing.T) {
	got := withTable("before\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nafter\n\nend\n", "| a | b |\n|---|---|\n| 3 | 4 |\n")
	if want := "before\n\n| a | b |\n|---|---|\n| 3 | 4 |\n\nafter\n\nend\n"; got != want {
		t.Errorf("%q", got)
	}
}
