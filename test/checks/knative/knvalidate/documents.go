package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	strictjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// document is one object of a file, as JSON.
type document struct {
	file string
	at   int
	json []byte
	// Keys that stand twice in the YAML, which JSON cannot show any more.
	doubled error
	head    struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Metadata   struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"metadata"`
	}
}

func (d document) gvk() schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(d.head.APIVersion, d.head.Kind)
}

func (d document) String() string {
	return fmt.Sprintf("%s #%d %s %s", d.file, d.at, d.head.Kind, d.head.Metadata.Name)
}

func (d document) key() string {
	return strings.Join([]string{d.head.APIVersion, d.head.Kind, d.head.Metadata.Namespace, d.head.Metadata.Name}, "/")
}

// decodeStrictly fills object and names every field that it does not have.
func (d document) decodeStrictly(object any) []error {
	var errs []error
	if d.doubled != nil {
		errs = append(errs, d.doubled)
	}
	strict, err := strictjson.UnmarshalStrict(d.json, object)
	if err != nil {
		return append(errs, err)
	}
	return append(errs, strict...)
}

func readDocuments(path string, in io.Reader) ([]document, error) {
	if path == "-" {
		return documentsOf("-", in)
	}
	var all []document
	err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if file != path && !strings.HasSuffix(file, ".yaml") && !strings.HasSuffix(file, ".yml") {
			return nil
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		found, err := documentsOf(file, bytes.NewReader(content))
		all = append(all, found...)
		return err
	})
	return all, err
}

func documentsOf(file string, in io.Reader) ([]document, error) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(in))
	var all []document
	for {
		text, err := reader.Read()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		_, doubled := yaml.YAMLToJSONStrict(text)
		json, err := yaml.YAMLToJSON(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		d := document{file: file, at: len(all) + 1, json: json, doubled: doubled}
		if string(json) == "null" {
			continue // only comments
		}
		if err := yaml.Unmarshal(json, &d.head); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, d)
	}
}
