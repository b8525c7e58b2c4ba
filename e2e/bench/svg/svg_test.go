package svg

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestAChartIsXML(t *testing.T) {
	c := New(100, 50, "A < B & C", `"quoted"`)
	c.Bar(1, 2, 3, 4, Colour(0))
	c.Whisker(1, 2, 3)
	c.Line([]Point{{1, 2}, {3, 4}}, Colour(1))
	c.Horizontal(1, 2, 3, Grid)
	c.Vertical(1, 2, 3, Grid)
	c.Value(1, 2, "<3")
	var elements []string
	for decoder := xml.NewDecoder(strings.NewReader(c.String())); ; {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, c)
		}
		if element, ok := token.(xml.StartElement); ok {
			elements = append(elements, element.Name.Local)
		}
	}
	want := []string{"svg", "title", "style", "rect", "text", "text", "rect", "path", "path", "circle", "circle", "path", "path", "text"}
	if !slices.Equal(elements, want) {
		t.Errorf("elements %v, want %v", elements, want)
	}
}

func TestLinear(t *testing.T) {
	for most, want := range map[float64][]float64{
		1:   {0, 0.2, 0.4, 0.6, 0.8, 1},
		78:  {0, 10, 20, 30, 40, 50, 60, 70, 80},
		168: {0, 25, 50, 75, 100, 125, 150, 175},
	} {
		got := Linear(most, 100, 200)
		if len(got.Ticks) != len(want) || got.At(got.Ticks[len(want)-1]) != 200 || got.At(0) != 100 {
			t.Errorf("%v: ticks %v, want %v", most, got.Ticks, want)
		}
	}
}

func TestLogarithmic(t *testing.T) {
	s := Logarithmic(12, 900, 300, 0)
	if !slices.Equal(s.Ticks, []float64{10, 20, 50, 100, 200, 500, 1000}) || s.At(10) != 300 || s.At(100) != 150 || s.At(1000) != 0 {
		t.Errorf("ticks %v, 100 at %v", s.Ticks, s.At(100))
	}
	if s := Logarithmic(25, 50, 1, 0); !slices.Equal(s.Ticks, []float64{20, 50}) {
		t.Errorf("ticks %v", s.Ticks)
	}
}
